//! EX-R1: a Varde rule in Rust without crates. `left_open.rs` is the rule, `edge.rs` what stands between it and C, `abi.rs` the
//! interface. This file is what the library exports: one symbol, and a note that a host reads without running the file.
mod abi;
mod edge;
#[forbid(unsafe_code)]
mod left_open;

use edge::{Exports, Identity};
use left_open::LeftOpen;

const IDENTITY: Identity = Identity { rule_id: c"EX-R1", version: c"1.0.0", sdk: c"varde-rust 1.0" };

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static varde_rule_v1: abi::RuleEntry = Exports::<LeftOpen>::entry(&IDENTITY);

#[used]
#[link_section = ".note.varde"]
static NOTE: abi::Note = Exports::<LeftOpen>::note(&IDENTITY);
