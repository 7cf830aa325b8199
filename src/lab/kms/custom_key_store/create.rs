//! `CreateCustomKeyStore`

use serde_json::json;

use super::super::call::Call;
use super::super::request::Request;
use super::super::state::State;
use super::super::{Answer, crypto, exception};
use super::settings::{Settings, required};
use super::{Backing, ClusterLogin, Connection, CustomKeyStore};
use crate::lab::refusal::Refusal;
use crate::lab::secret::Secret;

const TRUST_ANCHOR: (usize, usize) = (1, 5000);

/// `CreateCustomKeyStore`. KMS asks the proxy at a public endpoint for its health before it answers.
pub(in crate::lab::kms) async fn create_custom_key_store(call: &Call<'_>, mut request: Request<'_>) -> Answer {
    let settings = Settings::read(&mut request, "CustomKeyStoreName");
    let kind = request.choice("CustomKeyStoreType", &["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]);
    let certificate = request.text("TrustAnchorCertificate", TRUST_ANCHOR);
    if settings.name.is_none() {
        request.missing("CustomKeyStoreName");
    }
    request.finish()?;
    call.require("*")?;
    let name = settings.name.unwrap_or_default();
    let backing = match kind {
        Some("EXTERNAL_KEY_STORE") => external(&settings, certificate)?,
        _ => clustered(call, &settings, certificate)?,
    };
    judge(call, &*call.kms.state()?, name, &backing)?;
    if let Backing::Xks(proxy) = &backing
        && proxy.vpc.is_none()
    {
        let health = call.kms.xks.health(&proxy.access, call.region, call.operation, call.request_id).await;
        health.map_err(|failure| failure.for_store())?;
    }
    let digits: String = crypto::random(9)?.iter().map(|byte| format!("{byte:02x}")).collect();
    let store = CustomKeyStore {
        id: format!("cks-{}", &digits[..17]),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: name.to_owned(),
        created: call.now,
        connection: Connection::Disconnected,
        backing,
    };
    let mut state = call.kms.state()?;
    judge(call, &state, name, &store.backing)?;
    let answer = json!({ "CustomKeyStoreId": store.id });
    state.set_custom_key_store(store, &call.kms.store)?;
    Ok(answer)
}

fn external(settings: &Settings<'_>, certificate: Option<&str>) -> Result<Backing, Refusal> {
    if settings.are_of_cluster() || certificate.is_some() {
        return Err(not_of("CloudHSM", "EXTERNAL_KEY_STORE"));
    }
    settings.proxy(None).map(Backing::Xks)
}

fn clustered(call: &Call<'_>, settings: &Settings<'_>, certificate: Option<&str>) -> Result<Backing, Refusal> {
    if settings.are_of_xks() {
        return Err(not_of("external key store", "AWS_CLOUDHSM"));
    }
    let id = settings.cluster.ok_or_else(|| required("CloudHsmClusterId"))?;
    let password = settings.password.ok_or_else(|| required("KeyStorePassword"))?;
    let certificate = certificate.ok_or_else(|| required("TrustAnchorCertificate"))?;
    // KMS looks at the cluster on behalf of the caller.
    call.caller.require("cloudhsm:DescribeClusters", None)?;
    let cluster = call.ready_cluster(id)?;
    if !cluster.has_certificate(certificate) {
        let why = format!("The certificate is not the trust anchor certificate of cluster {id}.");
        return Err(exception::incorrect_trust_anchor(why));
    }
    Ok(Backing::CloudHsm(ClusterLogin {
        cluster: id.to_owned(),
        password: Secret::new(password.to_owned()),
        certificate: certificate.to_owned(),
    }))
}

/// The refusal of settings that another type of store has.
pub(super) fn not_of(settings: &str, kind: &str) -> Refusal {
    Refusal::Invalid(format!("{settings} settings are not valid for a custom key store of type {kind}."))
}

/// Judges a new store beside the present ones.
fn judge(call: &Call<'_>, state: &State, name: &str, backing: &Backing) -> Result<(), Refusal> {
    let present = state.custom_key_stores.of(call.account(), call.region).count();
    if present >= call.plan.custom_key_stores().max_per_region {
        let why = format!("The account has {present} custom key stores in this Region, which is the limit.");
        return Err(exception::limit_exceeded(why));
    }
    call.require_free_name(state, name, None)?;
    match backing {
        Backing::Xks(proxy) => {
            call.require_free_proxy(state, proxy, None)?;
            call.require_vpc_endpoint_service(proxy)
        }
        Backing::CloudHsm(login) => call.require_free_cluster(state, call.ready_cluster(&login.cluster)?, None),
    }
}
