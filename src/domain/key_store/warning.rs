//! Warnings of custom key stores, which are in the log for people.

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreWarning {
    /// AWS signs its calls with a credential that is not valid here: they are refused.
    CredentialUnknown { access_key_id: String },
    /// The store is not linked, and its name or address was changed here. If it was made at AWS by hand, it must be
    /// changed there too.
    ChangedHereOnly,
    /// The client wants that AWS authenticates with a certificate, which AWS has deprecated.
    MtlsDeprecated,
}
