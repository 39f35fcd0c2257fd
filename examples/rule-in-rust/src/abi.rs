//! varde/rule.h in Rust: the same structs with the same names, fields and layout. Comments are in the C header only.
//!
//! Each struct is followed by its layout as plugin-api/abi/offsets.txt has it: size, then offset and size of each field. Where one of
//! them differs, this file does not compile.
#![allow(dead_code)] // the whole interface, not only what this rule uses

use core::ffi::{c_char, c_void};
use core::mem::{offset_of, size_of};

const fn size_of_field<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! layout {
    ($type:ident $size:literal: $($field:ident $offset:literal $bytes:literal),+ $(,)?) => {
        const _: () = {
            assert!(size_of::<$type>() == $size);
            $(
                assert!(offset_of!($type, $field) == $offset);
                assert!(size_of_field(|it: &$type| &it.$field) == $bytes);
            )+
        };
    };
}

pub const ABI_MAJOR: u16 = 1;
pub const ABI_MINOR: u16 = 0;
pub const MAGIC: u64 = 0x3145_4c55_5244_5256;

pub const OK: i32 = 0;
pub const E_RULE: i32 = -1;
pub const E_PARAM: i32 = -2;

pub const INTEGER: u32 = 4;
pub const TEXT: u32 = 6;
pub const LIST: u32 = 7;
pub const TIME: u32 = 9;
pub const EVENT: u32 = 10;
pub const END: u32 = 11;

pub const OUTCOME_UNKNOWN: i32 = 0;
pub const OUTCOME_MET: i32 = 1;
pub const OUTCOME_NOT_MET: i32 = 2;
pub const OUTCOME_NO_DATA: i32 = 3;

pub const LOW: i32 = 1;
pub const TIME_UNSET: i64 = i64::MIN;
pub const NEVER: i64 = i64::MAX;
pub const ASK_ALWAYS: i64 = 0;

pub type Symbol = u32;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    pub offset: u32,
    pub length: u32,
}
layout! { Text 8: offset 0 4, length 4 4 }

#[repr(C)]
pub struct Column {
    pub kind: *const u8,
    pub value: *const i64,
}
layout! { Column 16: kind 0 8, value 8 8 }

#[repr(C)]
pub struct Node {
    pub kind: u32,
    pub end: u32,
    pub key: Text,
    pub text: Text,
    pub integer: i64,
    pub real: f64,
}
layout! { Node 40: kind 0 4, end 4 4, key 8 8, text 16 8, integer 24 8, real 32 8 }

#[repr(C)]
pub struct Params {
    pub struct_size: u32,
    pub n_nodes: u32,
    pub nodes: *const Node,
    pub text: *const u8,
    pub reserved: [u64; 4],
}
layout! { Params 56: struct_size 0 4, n_nodes 4 4, nodes 8 8, text 16 8, reserved 24 32 }

#[repr(C)]
pub struct Read {
    pub struct_size: u32,
    pub kind: u32,
    pub begin_anchor: u32,
    pub end_anchor: u32,
    pub begin_offset_us: i64,
    pub end_offset_us: i64,
    pub categories: *const u32,
    pub n_categories: u32,
    pub stream: i32,
    pub zone: i32,
    pub local_pick: u32,
    pub local_begin_us: i64,
    pub local_end_us: i64,
    pub reserved: [u64; 4],
}
layout! { Read 104: struct_size 0 4, kind 4 4, begin_anchor 8 4, end_anchor 12 4, begin_offset_us 16 8, end_offset_us 24 8,
categories 32 8, n_categories 40 4, stream 44 4, zone 48 4, local_pick 52 4, local_begin_us 56 8, local_end_us 64 8,
reserved 72 32 }

#[repr(C)]
pub struct Slice {
    pub since_us: i64,
    pub until_us: i64,
    pub first: u32,
    pub count: u32,
}
layout! { Slice 24: since_us 0 8, until_us 8 8, first 16 4, count 20 4 }

#[repr(C)]
pub struct Transition {
    pub at_us: i64,
    pub offset_s: i32,
    pub reserved: u32,
}
layout! { Transition 16: at_us 0 8, offset_s 8 4, reserved 12 4 }

#[repr(C)]
pub struct Zone {
    pub transitions: *const Transition,
    pub n_transitions: u32,
    pub reserved: u32,
}
layout! { Zone 16: transitions 0 8, n_transitions 8 4, reserved 12 4 }

#[repr(C)]
pub struct Window {
    pub struct_size: u32,
    pub n_rows: u32,
    pub since_us: i64,
    pub until_us: i64,
    pub now_us: i64,
    pub time_us: *const i64,
    pub sequence: *const i64,
    pub category: *const Symbol,
    pub room: *const Symbol,
    pub stream: *const Symbol,
    pub payload_kind: *const u8,
    pub keys: *const Column,
    pub reads: *const Slice,
    pub literals: *const Symbol,
    pub zones: *const Zone,
    pub symbols: *const Text,
    pub text: *const u8,
    pub event_id: *const Text,
    pub payload: *const Text,
    pub row_text: *const u8,
    pub n_keys: u32,
    pub n_reads: u32,
    pub n_literals: u32,
    pub n_zones: u32,
    pub n_symbols: u32,
    pub padding: u32,
    pub reserved: [u64; 8],
}
layout! { Window 240: struct_size 0 4, n_rows 4 4, since_us 8 8, until_us 16 8, now_us 24 8, time_us 32 8, sequence 40 8,
category 48 8, room 56 8, stream 64 8, payload_kind 72 8, keys 80 8, reads 88 8, literals 96 8, zones 104 8, symbols 112 8,
text 120 8, event_id 128 8, payload 136 8, row_text 144 8, n_keys 152 4, n_reads 156 4, n_literals 160 4, n_zones 164 4,
n_symbols 168 4, padding 172 4, reserved 176 64 }

#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub ctx: *mut c_void,
    pub declare_key: unsafe extern "C" fn(*mut c_void, *const u8, u32) -> i32,
    pub declare_literal: unsafe extern "C" fn(*mut c_void, *const u8, u32) -> i32,
    pub declare_zone: unsafe extern "C" fn(*mut c_void, *const u8, u32, u32) -> i32,
    pub declare_read: unsafe extern "C" fn(*mut c_void, *const Read) -> i32,
    pub declare_wants: unsafe extern "C" fn(*mut c_void, u32) -> i32,
    pub fail: unsafe extern "C" fn(*mut c_void, *const u8, u32, *const u8, u32) -> i32,
    pub log: unsafe extern "C" fn(*mut c_void, i32, *const u8, u32),
    pub query: unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void,
    pub reserved: [u64; 8],
}
layout! { Host 144: struct_size 0 4, abi_major 4 2, abi_minor 6 2, ctx 8 8, declare_key 16 8, declare_literal 24 8,
declare_zone 32 8, declare_read 40 8, declare_wants 48 8, fail 56 8, log 64 8, query 72 8, reserved 80 64 }

#[repr(C)]
pub struct Finding {
    pub struct_size: u32,
    pub severity: i32,
    pub title: *const u8,
    pub title_length: u32,
    pub explanation_length: u32,
    pub explanation: *const u8,
    pub since_us: i64,
    pub until_us: i64,
    pub timestamp_us: i64,
    pub reserved: [u64; 4],
}
layout! { Finding 88: struct_size 0 4, severity 4 4, title 8 8, title_length 16 4, explanation_length 20 4, explanation 24 8,
since_us 32 8, until_us 40 8, timestamp_us 48 8, reserved 56 32 }

#[repr(C)]
pub struct Field {
    pub struct_size: u32,
    pub kind: u32,
    pub key: *const u8,
    pub key_length: u32,
    pub text_length: u32,
    pub text: *const u8,
    pub integer: i64,
    pub real: f64,
    pub reserved: [u64; 2],
}
layout! { Field 64: struct_size 0 4, kind 4 4, key 8 8, key_length 16 4, text_length 20 4, text 24 8, integer 32 8, real 40 8,
reserved 48 16 }

#[repr(C)]
pub struct Sink {
    pub struct_size: u32,
    pub padding: u32,
    pub ctx: *mut c_void,
    pub outcome: unsafe extern "C" fn(*mut c_void, i32, *const u8, u32, i64) -> i32,
    pub finding: unsafe extern "C" fn(*mut c_void, *const Finding) -> i32,
    pub field: unsafe extern "C" fn(*mut c_void, *const Field) -> i32,
    pub fail: unsafe extern "C" fn(*mut c_void, *const u8, u32) -> i32,
    pub log: unsafe extern "C" fn(*mut c_void, i32, *const u8, u32),
    pub should_stop: unsafe extern "C" fn(*mut c_void) -> u32,
    pub query: unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void,
    pub reserved: [u64; 8],
}
layout! { Sink 136: struct_size 0 4, padding 4 4, ctx 8 8, outcome 16 8, finding 24 8, field 32 8, fail 40 8, log 48 8,
should_stop 56 8, query 64 8, reserved 72 64 }

/// An instance, opaque to the host: edge.rs knows what is behind it.
#[repr(C)]
pub struct Rule {
    _private: [u8; 0],
}

#[repr(C)]
pub struct RuleEntry {
    pub magic: u64,
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor_needed: u16,
    pub flags: u32,
    pub reserved0: u32,
    pub rule_id: *const c_char,
    pub version: *const c_char,
    pub sdk: *const c_char,
    pub create: unsafe extern "C" fn(*const Host, *const Params, *mut *mut Rule) -> i32,
    pub evaluate: unsafe extern "C" fn(*mut Rule, *const Window, *const Sink) -> i32,
    pub destroy: unsafe extern "C" fn(*mut Rule),
    pub query: Option<unsafe extern "C" fn(*mut Rule, *const c_char) -> *const c_void>,
    pub reserved: [u64; 8],
}
layout! { RuleEntry 144: magic 0 8, struct_size 8 4, abi_major 12 2, abi_minor_needed 14 2, flags 16 4, reserved0 20 4, rule_id 24 8,
version 32 8, sdk 40 8, create 48 8, evaluate 56 8, destroy 64 8, query 72 8, reserved 80 64 }

// Its pointers lead to constants of the program.
unsafe impl Sync for RuleEntry {}

#[repr(C)]
pub struct Note {
    pub name_size: u32,
    pub desc_size: u32,
    pub r#type: u32,
    pub name: [u8; 8],
    pub abi_major: u16,
    pub abi_minor_needed: u16,
    pub rule_id: [u8; 32],
    pub version: [u8; 32],
    pub sdk: [u8; 32],
}
layout! { Note 120: name_size 0 4, desc_size 4 4, r#type 8 4, name 12 8, abi_major 20 2, abi_minor_needed 22 2, rule_id 24 32,
version 56 32, sdk 88 32 }
