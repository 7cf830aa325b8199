//! The rules for the clusters of CloudHSM key stores.

use super::super::call::Call;
use super::super::exception;
use super::super::state::State;
use super::{Backing, CustomKeyStore};
use crate::lab::plan::Cluster;
use crate::lab::refusal::Refusal;

/// The number of availability zones that need an active HSM to create a store or a key.
const MIN_ZONES: usize = 2;

impl<'a> Call<'a> {
    /// The cluster of an id, which must be ready for a store.
    ///
    /// # Errors
    /// `CloudHsmClusterNotFoundException`, `CloudHsmClusterNotActiveException`, or
    /// `CloudHsmClusterInvalidConfigurationException`.
    pub(in crate::lab::kms) fn ready_cluster(&self, id: &str) -> Result<&'a Cluster, Refusal> {
        let unknown = || exception::cluster_not_found(format!("Cluster {id} does not exist."));
        let cluster = self.caller.account.cluster(self.region, id).ok_or_else(unknown)?;
        if !cluster.is_active() {
            return Err(exception::cluster_not_active(format!("Cluster {id} is not active.")));
        }
        if cluster.active_zones().len() < MIN_ZONES {
            let why = format!("Cluster {id} must contain at least two active HSMs in different Availability Zones.");
            return Err(exception::cluster_invalid_configuration(why));
        }
        Ok(cluster)
    }

    /// Requires that no other store of the account uses a cluster, or one that shares a backup history with it.
    ///
    /// # Errors
    /// `CloudHsmClusterInUseException`.
    pub(super) fn require_free_cluster(
        &self,
        state: &State,
        cluster: &Cluster,
        except: Option<&CustomKeyStore>,
    ) -> Result<(), Refusal> {
        let others = state.custom_key_stores.all().filter(|store| store.account == self.account());
        let mut others = others.filter(|store| except.is_none_or(|except| store.id != except.id));
        let taken = others.any(|store| match &store.backing {
            Backing::CloudHsm(login) => login.cluster == cluster.id || cluster.has_certificate(&login.certificate),
            Backing::Xks(_) => false,
        });
        if !taken {
            return Ok(());
        }
        let id = &cluster.id;
        Err(exception::cluster_in_use(format!(
            "Cluster {id}, or one that shares a backup history with it, is associated with another custom key store."
        )))
    }
}
