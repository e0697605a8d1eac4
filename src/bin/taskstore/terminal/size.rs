//! Sizes as people say them.

const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

/// `512 B`, `1.5 KiB`, `20.0 MiB`: rounded down.
pub fn size(bytes: u64) -> String {
    let mut told = format!("{bytes} B");
    let mut tenths = u128::from(bytes) * 10;
    for unit in UNITS {
        tenths /= 1024;
        if tenths < 10 {
            break;
        }
        told = format!("{}.{} {unit}", tenths / 10, tenths % 10);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_their_largest_unit() {
        assert_eq!([0, 1_023, 1_024, 1_536].map(size), ["0 B", "1023 B", "1.0 KiB", "1.5 KiB"]);
        assert_eq!([20 << 20, (1 << 30) - 1].map(size), ["20.0 MiB", "1023.9 MiB"]);
        assert_eq!([3 << 40, u64::MAX].map(size), ["3.0 TiB", "16777215.9 TiB"]);
    }
}
