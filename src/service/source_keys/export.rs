//! Exports of material, in plain or wrapped form.

use super::{SourceKeys, shown};
use crate::domain::id::SourceKeyId;
use crate::domain::source_key::command::ExportForm;
use crate::domain::source_key::{SourceKey, SourceKeyCommand};
use crate::service::access::{ManageSourceKeys, Permit};
use crate::service::caller::RequestContext;
use crate::service::failure::{Failure, invalid};
use crate::service::material::export_wrapping::{WrappingMethod, wrap};
use crate::service::material::{Encoding, Format, Material, base64};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The wanted form of exported material.
pub struct ExportRequest {
    pub format: Format,
    /// The encoding of plain material. Wrapped material is in base64.
    pub encoding: Encoding,
    /// The wrapping; `None` to export the material in the clear.
    pub wrapping: Option<ExportWrapping>,
}

pub struct ExportWrapping {
    pub method: WrappingMethod,
    pub key: WrappingKey,
    /// Wrap the PEM text of a private key instead of its DER.
    pub is_pem: bool,
}

pub enum WrappingKey {
    /// An AES source key with its material, an RSA one with its public key.
    Source(SourceKeyId),
    /// An RSA public key, as the DER of a SubjectPublicKeyInfo.
    Public(Vec<u8>),
}

impl SourceKeys {
    /// Exports the material as text. The export and its actor are recorded before the text is returned; a dry run
    /// returns none.
    ///
    /// # Errors
    /// When the source key is unexportable or has no material, the wrapping key is not active, or the material does not
    /// fit the wrapping.
    pub async fn export(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        id: SourceKeyId,
        request: ExportRequest,
    ) -> Result<(Arc<SourceKey>, Option<Zeroizing<String>>), Failure> {
        let change = permit.caller().change(context);
        let key = permit.caller().published.state.source_key(id)?.clone();
        let form = request.form();
        let export = move |at| SourceKeyCommand::Export { id, form, at };
        if change.dry_run {
            return Ok((shown(&self.command(&change, export).await?, id)?, None));
        }
        key.lifecycle.refuse_export(&key.made.name, self.now())?;
        // The text is made before the record is written: a failed export must not be recorded.
        let material = Material::from_bytes(key.made.kind, self.material(id)?);
        let text = self.exported(&material, &request)?;
        let committed = self.command(&change, export).await?;
        Ok((shown(&committed, id)?, Some(text)))
    }

    fn exported(&self, material: &Material, request: &ExportRequest) -> Result<Zeroizing<String>, Failure> {
        let document = material.document(request.format).ok_or(Failure::Internal("material lacks its own format"))?;
        let Some(ExportWrapping { method, key, is_pem }) = &request.wrapping else {
            return Ok(document.text(request.encoding));
        };
        let plain = match is_pem {
            true => Zeroizing::new(document.text(Encoding::Pem).as_bytes().to_vec()),
            false => document.bytes,
        };
        let wrapped = match key {
            WrappingKey::Public(der) => wrap(*method, der, &plain),
            WrappingKey::Source(id) => {
                let state = self.recorder.state();
                let key = state.state.source_key(*id)?;
                key.refuse_use(self.now())?;
                let secret = self.material(*id)?;
                match key.made.kind.is_asymmetric() {
                    true => {
                        let read = Material::private_key(key.made.kind, &secret);
                        let public = read.as_ref().and_then(Material::public_der);
                        wrap(*method, public.ok_or(Failure::Internal("a source key has no public key"))?, &plain)
                    }
                    false => wrap(*method, &secret, &plain),
                }
            }
        };
        let wrapped = wrapped.ok_or_else(|| {
            let problem = format!(
                "the material has {} bytes, and does not fit: AES key wrap without padding takes multiples of 8, RSA \
                 takes short material only",
                plain.len()
            );
            invalid("wrappingEncryptionAlgo", problem)
        })?;
        Ok(base64(&wrapped))
    }
}

impl ExportRequest {
    fn form(&self) -> ExportForm {
        match &self.wrapping {
            None => ExportForm::Plain,
            Some(ExportWrapping { key: WrappingKey::Source(id), .. }) => ExportForm::Wrapped(Some(*id)),
            Some(ExportWrapping { key: WrappingKey::Public(_), .. }) => ExportForm::Wrapped(None),
        }
    }
}
