//! The kinds of source keys, and the AWS keys that their material can be imported into. A kind is an algorithm with a
//! size of its own, so that invalid combinations cannot be expressed.

use crate::domain::key::spec::KeySpec;
use crate::domain::place::Partition;
use crate::domain::refusal::Refusal;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SourceKeyKind {
    Aes(AesSize),
    Rsa(RsaSize),
    Ec(Curve),
    Hmac(HmacHash, HmacSize),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AesSize {
    /// AWS imports this size in China, as an SM4 key.
    Aes128,
    /// AWS does not import this size.
    Aes192,
    /// AWS imports this size everywhere but in China.
    Aes256,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RsaSize {
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

/// The curves that both AWS and Claviger support.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Curve {
    /// NIST P-256, also called prime256v1.
    Secp256r1,
    /// NIST P-384.
    Secp384r1,
    /// NIST P-521.
    Secp521r1,
    /// The curve of cryptocurrencies.
    Secp256k1,
}

/// The hash of an HMAC key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HmacHash {
    Sha256,
    Sha384,
    Sha512,
}

/// The size of an HMAC key, relative to the output of its hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HmacSize {
    /// Half the output. AWS does not import this size.
    Half,
    /// Three quarters of the output. AWS does not import this size.
    ThreeQuarters,
    /// The full output, the smallest size that AWS imports.
    Full,
    /// More bits than the output, a multiple of 8. AWS imports these sizes too.
    Bits(u16),
}

/// The largest HMAC key that AWS imports, in bits.
const HMAC_BITS_MAX: u64 = 1024;

const ALGORITHMS: &str = "`aes`, `rsa`, `ec`, `hmac-sha256`, `hmac-sha384`, `hmac-sha512`";

impl SourceKeyKind {
    /// Parses the kind that a client requests, without regard to case. The defaults are AES, AES-256, RSA-2048,
    /// secp384r1 and HMAC keys as long as the output of their hash.
    ///
    /// # Errors
    /// When the algorithm is unknown, or does not have the size or curve; the message lists the valid values.
    pub fn parse(algorithm: Option<&str>, size: Option<u64>, curve: Option<&str>) -> Result<Self, Refusal> {
        let algorithm = algorithm.unwrap_or("aes").to_lowercase();
        if algorithm != "ec" && curve.is_some() {
            let problem = format!("is for the algorithm `ec` only, not for `{}`", excerpt(&algorithm));
            return Err(Refusal::Invalid { member: "curveid", problem });
        }
        if algorithm == "ec" {
            return parse_curve(size, curve);
        }
        let usual = Self::USUAL.into_iter().find(|kind| kind.algorithm() == algorithm);
        let usual = usual.ok_or_else(|| {
            let problem = format!("`{}` is not one of {ALGORITHMS}", excerpt(&algorithm));
            Refusal::Invalid { member: "algorithm", problem }
        })?;
        let Some(size) = size else { return Ok(usual) };
        usual.sized(size).ok_or_else(|| {
            let problem = format!("{size} is not a size of `{algorithm}`: {} are", usual.sizes());
            Refusal::Invalid { member: "size", problem }
        })
    }

    /// Returns the kind of the same algorithm with this size in bits. For EC, several curves may have it.
    pub fn sized(self, size: u64) -> Option<Self> {
        if let Some(kind) = self.siblings().into_iter().find(|kind| u64::from(kind.bits()) == size) {
            return Some(kind);
        }
        match self {
            Self::Hmac(hash, _) if size > u64::from(hash.bits()) && size <= HMAC_BITS_MAX && size.is_multiple_of(8) => {
                Some(Self::Hmac(hash, HmacSize::Bits(u16::try_from(size).ok()?)))
            }
            Self::Aes(_) | Self::Rsa(_) | Self::Ec(_) | Self::Hmac(..) => None,
        }
    }

    /// The sizes of the algorithm, for messages.
    pub fn sizes(self) -> String {
        let known = self.siblings().iter().map(|kind| kind.bits().to_string()).collect::<Vec<_>>().join(", ");
        match self {
            Self::Hmac(..) => format!("{known} and multiples of 8 up to {HMAC_BITS_MAX}"),
            Self::Aes(_) | Self::Rsa(_) | Self::Ec(_) => known,
        }
    }

    const USUAL: [Self; 5] = [
        Self::Aes(AesSize::Aes256),
        Self::Rsa(RsaSize::Rsa2048),
        Self::Hmac(HmacHash::Sha256, HmacSize::Full),
        Self::Hmac(HmacHash::Sha384, HmacSize::Full),
        Self::Hmac(HmacHash::Sha512, HmacSize::Full),
    ];

    /// Returns all kinds of the same algorithm, smallest first.
    pub fn siblings(self) -> Vec<Self> {
        match self {
            Self::Aes(_) => [AesSize::Aes128, AesSize::Aes192, AesSize::Aes256].map(Self::Aes).to_vec(),
            Self::Rsa(_) => [RsaSize::Rsa2048, RsaSize::Rsa3072, RsaSize::Rsa4096].map(Self::Rsa).to_vec(),
            Self::Ec(_) => Curve::ALL.map(Self::Ec).to_vec(),
            Self::Hmac(hash, _) => {
                [HmacSize::Half, HmacSize::ThreeQuarters, HmacSize::Full].map(|size| Self::Hmac(hash, size)).to_vec()
            }
        }
    }

    /// The name of the algorithm, in lower case.
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Aes(_) => "aes",
            Self::Rsa(_) => "rsa",
            Self::Ec(_) => "ec",
            Self::Hmac(HmacHash::Sha256, _) => "hmac-sha256",
            Self::Hmac(HmacHash::Sha384, _) => "hmac-sha384",
            Self::Hmac(HmacHash::Sha512, _) => "hmac-sha512",
        }
    }

    /// The size in bits; for a curve, the size of its field.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Aes(AesSize::Aes128) => 128,
            Self::Aes(AesSize::Aes192) => 192,
            Self::Aes(AesSize::Aes256) => 256,
            Self::Rsa(RsaSize::Rsa2048) => 2048,
            Self::Rsa(RsaSize::Rsa3072) => 3072,
            Self::Rsa(RsaSize::Rsa4096) => 4096,
            Self::Ec(curve) => curve.bits(),
            Self::Hmac(hash, HmacSize::Half) => hash.bits() / 2,
            Self::Hmac(hash, HmacSize::ThreeQuarters) => hash.bits() / 4 * 3,
            Self::Hmac(hash, HmacSize::Full) => hash.bits(),
            Self::Hmac(_, HmacSize::Bits(bits)) => bits as u32,
        }
    }

    /// The algorithm with its size or curve, for messages.
    pub fn description(self) -> String {
        match self {
            Self::Ec(curve) => format!("an EC key on {}", curve.name()),
            Self::Aes(_) | Self::Rsa(_) | Self::Hmac(..) => {
                format!("an {} key of {} bits", self.algorithm().to_uppercase(), self.bits())
            }
        }
    }

    /// The material that AWS keys of this spec take in this partition, for messages; `None` if they take none.
    pub fn wanted_by(spec: &KeySpec, partition: Partition) -> Option<String> {
        let kind = Self::fitting(spec, partition)?;
        Some(match kind {
            Self::Hmac(hash, _) => {
                format!("{} keys of {} to {HMAC_BITS_MAX} bits", kind.algorithm().to_uppercase(), hash.bits())
            }
            Self::Ec(curve) => format!("EC keys on {}", curve.name()),
            Self::Aes(_) | Self::Rsa(_) => format!("{} keys of {} bits", kind.algorithm().to_uppercase(), kind.bits()),
        })
    }

    pub const fn curve(self) -> Option<Curve> {
        match self {
            Self::Ec(curve) => Some(curve),
            Self::Aes(_) | Self::Rsa(_) | Self::Hmac(..) => None,
        }
    }

    pub const fn is_asymmetric(self) -> bool {
        matches!(self, Self::Rsa(_) | Self::Ec(_))
    }

    /// Returns the spec of the AWS keys in a partition that the material can be imported into.
    pub const fn aws_spec(self, partition: Partition) -> Option<KeySpec> {
        match (self, partition) {
            (Self::Aes(AesSize::Aes128), Partition::AwsCn) => Some(KeySpec::SymmetricDefault),
            (Self::Aes(AesSize::Aes256), Partition::Aws | Partition::AwsUsGov) => Some(KeySpec::SymmetricDefault),
            (Self::Aes(_), _) => None,
            (Self::Rsa(RsaSize::Rsa2048), _) => Some(KeySpec::Rsa2048),
            (Self::Rsa(RsaSize::Rsa3072), _) => Some(KeySpec::Rsa3072),
            (Self::Rsa(RsaSize::Rsa4096), _) => Some(KeySpec::Rsa4096),
            (Self::Ec(Curve::Secp256r1), _) => Some(KeySpec::EccNistP256),
            (Self::Ec(Curve::Secp384r1), _) => Some(KeySpec::EccNistP384),
            (Self::Ec(Curve::Secp521r1), _) => Some(KeySpec::EccNistP521),
            (Self::Ec(Curve::Secp256k1), _) => Some(KeySpec::EccSecgP256k1),
            (Self::Hmac(HmacHash::Sha256, HmacSize::Full | HmacSize::Bits(_)), _) => Some(KeySpec::Hmac256),
            (Self::Hmac(HmacHash::Sha384, HmacSize::Full | HmacSize::Bits(_)), _) => Some(KeySpec::Hmac384),
            (Self::Hmac(HmacHash::Sha512, HmacSize::Full | HmacSize::Bits(_)), _) => Some(KeySpec::Hmac512),
            (Self::Hmac(_, HmacSize::Half | HmacSize::ThreeQuarters), _) => None,
        }
    }

    /// Returns the kind whose material can be imported into AWS keys of this spec in this partition.
    pub fn fitting(spec: &KeySpec, partition: Partition) -> Option<Self> {
        let usual = Self::USUAL.into_iter().chain([Self::Ec(Curve::Secp256r1)]);
        usual.flat_map(Self::siblings).find(|kind| kind.fits(spec, partition))
    }

    /// The sizes of the same algorithm that AWS imports in this partition, for messages.
    pub fn taken_instead(self, partition: Partition) -> Option<String> {
        let mut specs: Vec<_> = self.siblings().into_iter().filter_map(|kind| kind.aws_spec(partition)).collect();
        specs.dedup();
        let wanted = specs.iter().filter_map(|spec| Self::wanted_by(spec, partition));
        Some(wanted.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    }

    /// Whether the material can be imported into an AWS key of this spec in this partition.
    pub fn fits(self, spec: &KeySpec, partition: Partition) -> bool {
        self.aws_spec(partition).as_ref() == Some(spec)
    }
}

impl HmacHash {
    const fn bits(self) -> u32 {
        match self {
            Self::Sha256 => 256,
            Self::Sha384 => 384,
            Self::Sha512 => 512,
        }
    }
}

impl Curve {
    const ALL: [Self; 4] = [Self::Secp256r1, Self::Secp384r1, Self::Secp521r1, Self::Secp256k1];

    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secp256r1 => "secp256r1",
            Self::Secp384r1 => "secp384r1",
            Self::Secp521r1 => "secp521r1",
            Self::Secp256k1 => "secp256k1",
        }
    }

    const fn bits(self) -> u32 {
        match self {
            Self::Secp256r1 | Self::Secp256k1 => 256,
            Self::Secp384r1 => 384,
            Self::Secp521r1 => 521,
        }
    }
}

fn parse_curve(size: Option<u64>, curve: Option<&str>) -> Result<SourceKeyKind, Refusal> {
    let curve = match curve.map(str::to_lowercase).as_deref() {
        None => Curve::Secp384r1,
        // The name in X9.62, which the vendor's clients use.
        Some("prime256v1") => Curve::Secp256r1,
        Some(name) => Curve::ALL.into_iter().find(|curve| curve.name() == name).ok_or_else(|| {
            let known = Curve::ALL.map(|curve| format!("`{}`", curve.name())).join(", ");
            let problem = format!("`{}` is not one of {known}", excerpt(name));
            Refusal::Invalid { member: "curveid", problem }
        })?,
    };
    match size {
        Some(size) if size != u64::from(curve.bits()) => {
            let problem = format!("{size} is not the size of `{}`, which is {}", curve.name(), curve.bits());
            Err(Refusal::Invalid { member: "size", problem })
        }
        _ => Ok(SourceKeyKind::Ec(curve)),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALGORITHMS: [&str; 6] = ["aes", "rsa", "ec", "hmac-sha256", "hmac-sha384", "hmac-sha512"];

    fn parsed(algorithm: &str, size: Option<u64>, curve: Option<&str>) -> String {
        match SourceKeyKind::parse(Some(algorithm), size, curve) {
            Ok(kind) => format!("{} {} {:?}", kind.algorithm(), kind.bits(), kind.curve().map(Curve::name)),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn every_kind_reads_back_by_its_names_and_its_size() {
        for algorithm in ALGORITHMS {
            let usual = SourceKeyKind::parse(Some(algorithm), None, None).expect("a usual one");
            for kind in usual.siblings() {
                let curve = kind.curve().map(Curve::name);
                let bits = Some(u64::from(kind.bits()));
                assert_eq!(SourceKeyKind::parse(Some(&algorithm.to_uppercase()), bits, curve), Ok(kind));
            }
        }
    }

    #[test]
    fn what_is_not_said_is_the_usual() {
        assert_eq!(SourceKeyKind::parse(None, None, None), Ok(SourceKeyKind::Aes(AesSize::Aes256)));
        assert_eq!(parsed("rsa", None, None), "rsa 2048 None");
        assert_eq!(parsed("ec", None, None), "ec 384 Some(\"secp384r1\")");
        assert_eq!(parsed("EC", None, Some("prime256v1")), "ec 256 Some(\"secp256r1\")");
        assert_eq!(parsed("hmac-sha384", None, None), "hmac-sha384 384 None");
        assert_eq!(parsed("hmac-sha384", Some(288), None), "hmac-sha384 288 None");
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        let none = "algorithm: `tdes` is not one of `aes`, `rsa`, `ec`, `hmac-sha256`, `hmac-sha384`, `hmac-sha512`";
        assert_eq!(parsed("tdes", None, None), none);
        assert_eq!(parsed("aes", Some(255), None), "size: 255 is not a size of `aes`: 128, 192, 256 are");
        assert_eq!(parsed("rsa", Some(1024), None), "size: 1024 is not a size of `rsa`: 2048, 3072, 4096 are");
        let curves = "`secp256r1`, `secp384r1`, `secp521r1`, `secp256k1`";
        assert_eq!(parsed("ec", None, Some("secp224r1")), format!("curveid: `secp224r1` is not one of {curves}"));
        let size = "size: 256 is not the size of `secp521r1`, which is 521";
        assert_eq!(parsed("ec", Some(256), Some("secp521r1")), size);
        let curve = "curveid: is for the algorithm `ec` only, not for `aes`";
        assert_eq!(parsed("aes", None, Some("secp256r1")), curve);
    }

    #[test]
    fn an_hmac_key_has_any_length_that_aws_takes() {
        for (algorithm, least, spec) in [
            ("hmac-sha256", 256, KeySpec::Hmac256),
            ("hmac-sha384", 384, KeySpec::Hmac384),
            ("hmac-sha512", 512, KeySpec::Hmac512),
        ] {
            for bits in [least, least + 8, 1024] {
                let kind = SourceKeyKind::parse(Some(algorithm), Some(bits), None).expect("a size");
                assert_eq!((u64::from(kind.bits()), kind.fits(&spec, Partition::Aws)), (bits, true));
            }
            for bits in [least + 4, 1032, least - 8, u64::MAX] {
                assert!(SourceKeyKind::parse(Some(algorithm), Some(bits), None).is_err(), "{algorithm} {bits}");
            }
        }
        let sizes = "size: 260 is not a size of `hmac-sha256`: 128, 192, 256 and multiples of 8 up to 1024 are";
        assert_eq!(parsed("hmac-sha256", Some(260), None), sizes);
        let wanted = |spec| SourceKeyKind::wanted_by(&spec, Partition::Aws);
        assert_eq!(wanted(KeySpec::Hmac384).as_deref(), Some("HMAC-SHA384 keys of 384 to 1024 bits"));
        assert_eq!(wanted(KeySpec::SymmetricDefault).as_deref(), Some("AES keys of 256 bits"));
        assert_eq!(wanted(KeySpec::EccNistP256).as_deref(), Some("EC keys on secp256r1"));
        assert_eq!(wanted(KeySpec::Sm2), None);
    }

    #[test]
    fn material_goes_into_aws_keys_of_its_own_kind_and_symmetric_keys_are_others_in_china() {
        let kinds = ALGORITHMS
            .iter()
            .flat_map(|algorithm| SourceKeyKind::parse(Some(algorithm), None, None).expect("a usual one").siblings());
        let lines = kinds.map(|kind| {
            let specs = [Partition::Aws, Partition::AwsCn].map(|partition| {
                kind.aws_spec(partition).map_or("-".to_owned(), |spec| {
                    assert!(kind.fits(&spec, partition) && !kind.fits(&KeySpec::Sm2, partition));
                    assert_eq!(SourceKeyKind::fitting(&spec, partition), Some(kind));
                    spec.to_string()
                })
            });
            let name = kind.curve().map_or(kind.bits().to_string(), |curve| curve.name().to_owned());
            format!("{} {name}: {}", kind.algorithm(), specs.join(" "))
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
        aes 128: - SYMMETRIC_DEFAULT
        aes 192: - -
        aes 256: SYMMETRIC_DEFAULT -
        rsa 2048: RSA_2048 RSA_2048
        rsa 3072: RSA_3072 RSA_3072
        rsa 4096: RSA_4096 RSA_4096
        ec secp256r1: ECC_NIST_P256 ECC_NIST_P256
        ec secp384r1: ECC_NIST_P384 ECC_NIST_P384
        ec secp521r1: ECC_NIST_P521 ECC_NIST_P521
        ec secp256k1: ECC_SECG_P256K1 ECC_SECG_P256K1
        hmac-sha256 128: - -
        hmac-sha256 192: - -
        hmac-sha256 256: HMAC_256 HMAC_256
        hmac-sha384 192: - -
        hmac-sha384 288: - -
        hmac-sha384 384: HMAC_384 HMAC_384
        hmac-sha512 256: - -
        hmac-sha512 384: - -
        hmac-sha512 512: HMAC_512 HMAC_512
        ");
    }
}
