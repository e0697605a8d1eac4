//! Sizes as they are typed.

/// What [`size`] takes, in words.
pub const SIZE: &str = "a number with KiB, MiB or GiB behind it";

/// Reads `500MiB`, also `500 M`. One that is too large is as large as can be.
pub fn size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|next: char| !next.is_ascii_digit())?);
    let bytes: u64 = match unit.trim() {
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    Some(number.saturating_mul(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        let sizes = ["0KiB", "3K", "500MiB", "2 G", "18446744073709551615GiB"];
        assert_eq!(sizes.map(size), [0, 3 << 10, 500 << 20, 2 << 30, u64::MAX].map(Some));
        for text in ["", "500", "MiB", "-1MiB", "1.5GiB", "5MB", "5mib", "5 MiB free"] {
            assert_eq!(size(text), None, "{text:?}");
        }
    }
}
