//! Between C and Rust: the only file with `unsafe` in it. Pointers of the host become slices that live as long as the call they came
//! with, and a panic becomes an error of this rule.
use crate::abi;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::mem::size_of;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// What a rule is made of. An instance is made once and asked often, always on one thread; it must answer from the window alone.
pub trait Rule: Sized {
    /// Reads the parameters and declares what the rule wants to see.
    fn new(setup: &Setup, params: &Params) -> Result<Self, Refusal>;
    fn evaluate(&self, window: &Window, findings: &Findings) -> Answer;
}

/// Which parameter is wrong, and why.
pub struct Refusal {
    pub param: String,
    pub why: String,
}

impl Refusal {
    pub fn of(param: &str, why: &str) -> Self {
        Refusal { param: param.to_owned(), why: why.to_owned() }
    }
}

/// What a rule thinks of a window. `valid_until`: the earliest instant (microseconds, UTC) at which time alone could change it.
pub struct Answer {
    pub outcome: i32,
    pub reason: &'static str,
    pub valid_until: i64,
}

/// The elements of an array of the host, which has no address if it is empty.
unsafe fn slice<'a, T>(first: *const T, count: u32) -> &'a [T] {
    if count == 0 {
        &[]
    } else {
        core::slice::from_raw_parts(first, count as usize)
    }
}

unsafe fn text<'a>(area: *const u8, at: abi::Text) -> &'a str {
    if at.length == 0 {
        return "";
    }
    core::str::from_utf8(slice(area.add(at.offset as usize), at.length)).expect("texts of the host are UTF-8")
}

// --- parameters ----------------------------------------------------------------------------------------------------------------

pub enum Value<'a> {
    Integer(i64),
    Text(&'a str),
    Other, // nothing this rule has a parameter of
}

pub struct Params<'a>(&'a abi::Params);

impl<'a> Params<'a> {
    /// Name and value of each parameter, in the order of the file. What lies inside a list or an object is stepped over.
    pub fn members(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + '_ {
        let nodes = unsafe { slice(self.0.nodes, self.0.n_nodes) };
        let mut next = 1;
        core::iter::from_fn(move || {
            let node = nodes.get(next).filter(|_| next < nodes[0].end as usize)?;
            next = node.end as usize;
            Some((unsafe { text(self.0.text, node.key) }, self.value(node)))
        })
    }

    fn value(&self, node: &abi::Node) -> Value<'a> {
        match node.kind {
            abi::INTEGER => Value::Integer(node.integer),
            abi::TEXT => Value::Text(unsafe { text(self.0.text, node.text) }),
            _ => Value::Other,
        }
    }
}

// --- declarations --------------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy)]
pub struct Literal(usize);
#[derive(Clone, Copy)]
pub struct Key(usize);
#[derive(Clone, Copy)]
pub struct Read(usize);

pub struct Setup<'a>(&'a abi::Host);

impl Setup<'_> {
    pub fn literal(&self, text: &str) -> Result<Literal, Refusal> {
        handle(unsafe { (self.0.declare_literal)(self.0.ctx, text.as_ptr(), text.len() as u32) }).map(Literal)
    }

    pub fn key(&self, name: &str) -> Result<Key, Refusal> {
        handle(unsafe { (self.0.declare_key)(self.0.ctx, name.as_ptr(), name.len() as u32) }).map(Key)
    }

    /// The events of these categories in [since, until).
    pub fn window(&self, categories: &[Literal]) -> Result<Read, Refusal> {
        let categories: Vec<u32> = categories.iter().map(|literal| literal.0 as u32).collect();
        let mut read: abi::Read = unsafe { core::mem::zeroed() };
        read.struct_size = size_of::<abi::Read>() as u32;
        read.categories = categories.as_ptr();
        read.n_categories = categories.len() as u32;
        read.stream = -1;
        handle(unsafe { (self.0.declare_read)(self.0.ctx, &read) }).map(Read)
    }
}

fn handle(number: i32) -> Result<usize, Refusal> {
    usize::try_from(number).map_err(|_| Refusal::of("", &format!("the host refused a declaration ({number})")))
}

// --- the window ----------------------------------------------------------------------------------------------------------------

pub struct Window<'a>(&'a abi::Window);

#[derive(Clone, Copy)]
pub struct Row<'a> {
    window: &'a abi::Window,
    index: usize,
}

impl<'a> Window<'a> {
    pub fn until_us(&self) -> i64 {
        self.0.until_us
    }

    pub fn length_us(&self) -> i64 {
        self.0.until_us - self.0.since_us
    }

    /// The rows of a read in the order of their time. Rows of other categories can stand between.
    pub fn rows(&self, read: Read) -> impl DoubleEndedIterator<Item = Row<'a>> {
        let window = self.0;
        let rows = unsafe { &slice(window.reads, window.n_reads)[read.0] };
        (rows.first..rows.first + rows.count).map(move |index| Row { window, index: index as usize })
    }
}

impl Row<'_> {
    pub fn time_us(&self) -> i64 {
        unsafe { slice(self.window.time_us, self.window.n_rows)[self.index] }
    }

    pub fn is_of(&self, category: Literal) -> bool {
        unsafe { slice(self.window.category, self.window.n_rows)[self.index] == self.symbol(category) }
    }

    /// Whether the payload has this text under the key. Texts are equal when their numbers are.
    pub fn says(&self, key: Key, word: Literal) -> bool {
        unsafe {
            let column = &slice(self.window.keys, self.window.n_keys)[key.0];
            u32::from(slice(column.kind, self.window.n_rows)[self.index]) == abi::TEXT
                && slice(column.value, self.window.n_rows)[self.index] == i64::from(self.symbol(word))
        }
    }

    fn symbol(&self, literal: Literal) -> abi::Symbol {
        unsafe { slice(self.window.literals, self.window.n_literals)[literal.0] }
    }
}

// --- the answer ----------------------------------------------------------------------------------------------------------------

/// What the host refuses here it notes, and ends the evaluation as `bad_result`: nothing to check for a rule.
pub struct Findings<'a>(&'a abi::Sink);

/// The evidence of the finding begun last.
pub struct Evidence<'a>(&'a abi::Sink);

impl<'a> Findings<'a> {
    pub fn add(&self, severity: i32, title: &str, explanation: &str) -> Evidence<'a> {
        let finding = abi::Finding {
            struct_size: size_of::<abi::Finding>() as u32,
            severity,
            title: title.as_ptr(),
            title_length: title.len() as u32,
            explanation_length: explanation.len() as u32,
            explanation: explanation.as_ptr(),
            since_us: abi::TIME_UNSET,
            until_us: abi::TIME_UNSET,
            timestamp_us: abi::TIME_UNSET,
            reserved: [0; 4],
        };
        unsafe { (self.0.finding)(self.0.ctx, &finding) };
        Evidence(self.0)
    }
}

impl Evidence<'_> {
    pub fn events(self, key: &str, rows: &[Row]) -> Self {
        self.field(abi::LIST, key, 0);
        rows.iter().for_each(|row| self.field(abi::EVENT, "", row.index as i64));
        self.field(abi::END, "", 0);
        self
    }

    pub fn time(self, key: &str, at_us: i64) -> Self {
        self.field(abi::TIME, key, at_us);
        self
    }

    pub fn integer(self, key: &str, number: i64) -> Self {
        self.field(abi::INTEGER, key, number);
        self
    }

    fn field(&self, kind: u32, key: &str, integer: i64) {
        let field = abi::Field {
            struct_size: size_of::<abi::Field>() as u32,
            kind,
            key: key.as_ptr(),
            key_length: key.len() as u32,
            text_length: 0,
            text: core::ptr::null(),
            integer,
            real: 0.0,
            reserved: [0; 2],
        };
        unsafe { (self.0.field)(self.0.ctx, &field) };
    }
}

// --- what the library exports --------------------------------------------------------------------------------------------------

/// No panic may leave a function that C calls. The host gets its text; what it was about is lost, and nothing else is.
fn guarded(work: impl FnOnce() -> i32, fail: impl FnOnce(&str)) -> i32 {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        fail(&format!("panic: {}", text.unwrap_or("without a text")));
        abi::E_RULE
    })
}

unsafe extern "C" fn create<R: Rule>(host: *const abi::Host, params: *const abi::Params, out: *mut *mut abi::Rule) -> i32 {
    let host = &*host;
    let fail = |param: &str, why: &str| unsafe {
        (host.fail)(host.ctx, param.as_ptr(), param.len() as u32, why.as_ptr(), why.len() as u32);
    };
    let work = || match R::new(&Setup(host), &Params(unsafe { &*params })) {
        Ok(rule) => {
            unsafe { *out = Box::into_raw(Box::new(rule)).cast() };
            abi::OK
        }
        Err(refusal) => {
            fail(&refusal.param, &refusal.why);
            abi::E_PARAM
        }
    };
    guarded(work, |text| fail("", text))
}

unsafe extern "C" fn evaluate<R: Rule>(rule: *mut abi::Rule, window: *const abi::Window, sink: *const abi::Sink) -> i32 {
    let (rule, window, sink) = (&*rule.cast::<R>(), &*window, &*sink);
    let work = || {
        let answer = rule.evaluate(&Window(window), &Findings(sink));
        let reason = answer.reason;
        unsafe { (sink.outcome)(sink.ctx, answer.outcome, reason.as_ptr(), reason.len() as u32, answer.valid_until) }
    };
    guarded(work, |text| unsafe {
        (sink.fail)(sink.ctx, text.as_ptr(), text.len() as u32);
    })
}

unsafe extern "C" fn destroy<R: Rule>(rule: *mut abi::Rule) {
    guarded(
        || {
            drop(unsafe { Box::from_raw(rule.cast::<R>()) });
            abi::OK
        },
        |_| (),
    );
}

/// Who a rule is: 1 to 31 characters each.
pub struct Identity {
    pub rule_id: &'static CStr,
    pub version: &'static CStr,
    pub sdk: &'static CStr,
}

/// The entry and the note of a rule, which must say the same.
pub struct Exports<R>(PhantomData<R>);

impl<R: Rule> Exports<R> {
    pub const fn entry(of: &Identity) -> abi::RuleEntry {
        abi::RuleEntry {
            magic: abi::MAGIC,
            struct_size: size_of::<abi::RuleEntry>() as u32,
            abi_major: abi::ABI_MAJOR,
            abi_minor_needed: abi::ABI_MINOR,
            flags: 0,
            reserved0: 0,
            rule_id: of.rule_id.as_ptr(),
            version: of.version.as_ptr(),
            sdk: of.sdk.as_ptr(),
            create: create::<R>,
            evaluate: evaluate::<R>,
            destroy: destroy::<R>,
            query: None,
            reserved: [0; 8],
        }
    }

    pub const fn note(of: &Identity) -> abi::Note {
        abi::Note {
            name_size: 8,
            desc_size: size_of::<abi::Note>() as u32 - 20,
            r#type: 1,
            name: *b"varde\0\0\0",
            abi_major: abi::ABI_MAJOR,
            abi_minor_needed: abi::ABI_MINOR,
            rule_id: padded(of.rule_id),
            version: padded(of.version),
            sdk: padded(of.sdk),
        }
    }
}

/// The text with zeros behind it; one that is too long does not compile.
const fn padded(text: &CStr) -> [u8; 32] {
    let bytes = text.to_bytes();
    assert!(!bytes.is_empty() && bytes.len() <= 31);
    let mut out = [0; 32];
    let mut i = 0;
    while i < bytes.len() {
        out[i] = bytes[i];
        i += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_and_text(work: impl FnOnce() -> i32) -> (i32, String) {
        let mut said = String::new();
        let status = guarded(work, |text| said = text.to_owned());
        (status, said)
    }

    #[test]
    fn what_does_not_panic_goes_through() {
        assert_eq!(status_and_text(|| 0), (abi::OK, String::new()));
        assert_eq!(status_and_text(|| abi::E_PARAM), (abi::E_PARAM, String::new()));
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_text() {
        assert_eq!(status_and_text(|| panic!("plain")), (abi::E_RULE, "panic: plain".to_owned()));
        assert_eq!(status_and_text(|| panic!("row {}", 7)), (abi::E_RULE, "panic: row 7".to_owned()));
        assert_eq!(status_and_text(|| std::panic::panic_any(7)), (abi::E_RULE, "panic: without a text".to_owned()));
    }

    #[test]
    fn a_note_is_padded_with_zeros() {
        assert_eq!(padded(c"EX-R1")[..6], *b"EX-R1\0");
        assert!(padded(c"EX-R1")[6..].iter().all(|&byte| byte == 0));
    }
}
