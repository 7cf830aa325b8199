//! Jobs: work that goes on after the request that started it. A job is begun, ends part by part, and may be cancelled;
//! what the log tells is enough to go on with it after a restart.

pub mod bulk;
pub mod command;
pub mod decide;
pub mod event;
pub mod refusal;
pub mod retained;
pub mod sync;
