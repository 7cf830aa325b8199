//! `/v1/alarms`: which alarms are raised and who may view them, and the webhooks that they are delivered to.

mod conditions;
mod webhooks;
