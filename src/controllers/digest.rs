//! Short names for what may be long: digests that are compared, never reversed.

use sha2::{Digest, Sha256};

/// The first 64 bits of SHA-256 over the parts, as 16 hexadecimal digits. The parts are kept apart, so that moving a
/// letter from one to the next gives another digest.
pub(crate) fn short<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_ref());
        digest.update([0]);
    }
    let bytes = digest.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(short(["ab", "c"]), short(["a", "bc"]));
        assert_eq!(short(["ab", "c"]).len(), 16);
    }
}
