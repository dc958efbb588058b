//! A batch in a file: a skippable frame (RFC 8878 section 3.1.2) with the digest of the text, then the frame that is sent.

use wire::{BatchDigest, batch};

/// `0x184D2A50` in little-endian order, and the size of a digest.
const HEAD: [u8; 8] = [0x50, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
/// Bytes before the frame that is sent.
pub(super) const HEAD_BYTES: usize = HEAD.len() + 32;

/// What stands before the compressed text.
pub(super) fn head(digest: BatchDigest) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..HEAD.len()].copy_from_slice(&HEAD);
    head[HEAD.len()..].copy_from_slice(&digest.0);
    head
}

/// Digest, text and where the compressed bytes begin, of a file that is whole.
pub(super) fn read(file: &[u8]) -> Result<(BatchDigest, Vec<u8>), String> {
    let (head, bytes) = file.split_at_checked(HEAD_BYTES).ok_or("it is cut off")?;
    let digest = head.strip_prefix(&HEAD).and_then(|digest| digest.try_into().ok()).ok_or("it does not begin as a batch")?;
    let digest = BatchDigest(digest);
    let text = batch::decompress(bytes, digest).map_err(|error| error.to_string())?;
    Ok((digest, text))
}
