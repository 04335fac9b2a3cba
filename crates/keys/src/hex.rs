//! Fingerprints as people read them.

/// Lower-case digits with colons between the bytes, as `ssh-keygen` prints MD5.
pub(crate) fn with_colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}
