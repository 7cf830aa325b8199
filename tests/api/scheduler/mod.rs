//! `/v1/scheduler`

mod schedules;
