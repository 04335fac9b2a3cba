//! What an uploaded file is, judged by its bytes alone: neither its name nor its content type counts.

use imagesize::ImageType;
use spaceport_platform::attachment::{MAX_SIDE, Media};

/// The kind of picture in `bytes`.
///
/// # Errors
/// A sentence that says what a file must be.
pub fn recognize(bytes: &[u8]) -> Result<Media, String> {
    let wrong = || {
        let names: Vec<&str> = Media::ALL.into_iter().map(Media::name).collect();
        format!("The file must be a picture, one of {}", names.join(", "))
    };
    let media = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => Media::Png,
        Ok(ImageType::Jpeg) => Media::Jpeg,
        Ok(ImageType::Gif) => Media::Gif,
        Ok(ImageType::Webp) => Media::Webp,
        _ => return Err(wrong()),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| "The file begins like a picture but is broken".to_owned())?;
    if size.width == 0 || size.height == 0 || size.width > MAX_SIDE || size.height > MAX_SIDE {
        return Err(format!(
            "The picture must have 1 to {MAX_SIDE} pixels a side, not {} by {}",
            size.width, size.height
        ));
    }
    Ok(media)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop, proptest};

    use super::*;

    /// The beginnings of files of 3 by 2 pixels.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0";
    const GIF: &[u8] = b"GIF89a\x03\0\x02\0\0\0\0;";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\0\x02\0\x03\x03\x01\x22\0\x02\x11\x01\x03\x11\x01";
    const WEBP: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x02\0\0\x01\0\0";

    #[test]
    fn pictures_are_recognized_by_their_bytes() {
        assert_eq!(recognize(PNG), Ok(Media::Png));
        assert_eq!(recognize(GIF), Ok(Media::Gif));
        assert_eq!(recognize(JPEG), Ok(Media::Jpeg));
        assert_eq!(recognize(WEBP), Ok(Media::Webp));
    }

    #[test]
    fn programs_documents_and_huge_pictures_are_refused() {
        let svg: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        for other in [b"".as_slice(), svg, b"<!DOCTYPE html>", b"%PDF-1.7", b"BM\0\0", b"MZ", b"GIF"] {
            assert!(recognize(other).is_err());
        }
        let bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\x06\0\0\0";
        assert!(recognize(bomb).unwrap_err().contains("65536"));
        assert!(recognize(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0\x08\x06\0\0\0").is_err());
    }

    #[test]
    fn truncated_pictures_never_panic() {
        for whole in [PNG, GIF, JPEG, WEBP] {
            for length in 0..whole.len() {
                let _ = recognize(&whole[..length]);
            }
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(
            begin in prop::sample::select(vec![PNG, GIF, JPEG, WEBP, b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8 ", b"RIFF\0\0\0\0WEBPVP8L"]),
            keep in (0.0..=1.0_f64).prop_map(|part| part),
            rest in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length between 0 and 50")]
            let kept = (begin.len() as f64 * keep) as usize;
            let _ = recognize(&[&begin[..kept], &rest].concat());
        }
    }
}
