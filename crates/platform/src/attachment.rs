//! Attachments: files that callers upload, so far the pictures of applications.

use std::time::Duration;

use crate::access::Principal;
use crate::id::AttachmentId;
use crate::invalid::{Invalid, text_length};
use crate::time::Timestamp;

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Longest side of a picture, in pixels; larger ones cost whoever shows them too much memory.
pub const MAX_SIDE: usize = 4_096;
/// Longest file name, in characters.
pub const MAX_FILE_NAME: usize = 255;
/// How long a requested upload waits for its file.
pub const OPEN_FOR: Duration = Duration::from_secs(3_600);
/// Most uploads that a caller may have requested and not made.
pub const MOST_OPEN: i64 = 50;
/// How long an attachment stays that nothing uses.
pub const UNUSED_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Most bytes of attachments that nothing uses, for each caller.
pub const MOST_UNUSED_BYTES: i64 = 20 * 1024 * 1024;

/// An uploaded file, without its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    /// The id. Whoever knows it can fetch the file, so it is too long to be guessed.
    pub id: AttachmentId,
    /// Who requested the upload.
    pub owner: Principal,
    /// What the uploader called it.
    pub file_name: String,
    /// What it is, judged by its bytes.
    pub media: Media,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes, in hex.
    pub digest: String,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

/// The kinds of files that are taken: pictures that browsers show and that cannot hold a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Media {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
}

impl Media {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::Gif, Self::Webp];

    /// The media type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.name() == name)
    }
}

/// Checks a file name.
///
/// # Errors
/// When it is empty, too long or holds characters no file name has.
pub fn check_file_name(name: &str) -> Result<(), Invalid> {
    text_length("fileName", name, 1, MAX_FILE_NAME)?;
    if name.chars().any(|c| c.is_control() || c == '/' || c == '\\') {
        return Err(Invalid::new("fileName", "must not hold control characters, `/` or `\\`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_survive_a_round_trip_and_others_are_unknown() {
        for media in Media::ALL {
            assert_eq!(Media::from_stored(media.name()), Some(media));
        }
        assert_eq!(Media::from_stored("image/svg+xml"), None);
    }

    #[test]
    fn file_names_are_names_not_paths() {
        assert_eq!(check_file_name("ä b.png"), Ok(()));
        for name in ["", "../x.png", "a\\b", "a\r\nb", &"ü".repeat(256)] {
            assert!(check_file_name(name).is_err(), "{name:?}");
        }
    }
}
