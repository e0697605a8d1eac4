//! Durations as they are typed.

use std::time::Duration;

/// What [`duration`] takes, in words.
pub const DURATION: &str = "a number with s, m, h, d or w behind it";

/// Reads `6h`. Minutes are `m` or, as they are printed, `min`. One that is too long is as long as can be.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|next: char| !next.is_ascii_digit())?);
    let seconds: u64 = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs());
        let durations = ["0s", "10m", "2 min", "6h", "3d", "1w", "18446744073709551615w"];
        assert_eq!(durations.map(seconds), [0, 600, 120, 21_600, 259_200, 604_800, u64::MAX].map(Some));
        for text in ["", "6", "h", "-1h", "6 hours", "1.5h", "6h ago", "99999999999999999999h", "6H", "٦h"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
