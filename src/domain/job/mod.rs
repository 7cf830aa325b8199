//! Jobs: work that continues after the request that started it. A job has many parts, each of which ends by itself, and
//! it can be cancelled. Its events contain all that is needed to resume it after a restart.

pub mod bulk;
pub mod command;
pub mod decide;
pub mod event;
pub mod refusal;
pub mod retained;
pub mod sync;
