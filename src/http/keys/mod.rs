//! AWS keys and the operations on them.

pub mod access;
mod aws_param;
pub mod change;
pub mod cloud_hsm;
pub mod creation;
pub mod grants;
pub mod hyok;
pub mod material;
pub mod policy;
pub mod policy_check;
mod protection;
pub mod reading;
pub mod rotation;
pub mod rotations;
pub mod view;
pub mod virtual_keys;
