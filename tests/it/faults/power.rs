//! The power is cut under a real file system: an image whose file system is shut down without what its journal has not
//! written yet, and mounted again. Run by hand, as root: `TASKSTORE_TEST_POWER_CUTS=20` cuts so often at each durability.
//! `TASKSTORE_TEST_POWER_FILE_SYSTEM=xfs` takes that in place of ext4, and `TASKSTORE_TEST_SEED` repeats the moments.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use rusqlite::Connection;
use taskstore::{Durability, NewTask};

use super::{Mounted, until};
use crate::support::children::{Telling, role};
use crate::support::options;

const CUTS: &str = "TASKSTORE_TEST_POWER_CUTS";
const FILE_SYSTEM: &str = "TASKSTORE_TEST_POWER_FILE_SYSTEM";
const SEED: &str = "TASKSTORE_TEST_SEED";
/// The file outside the image to which the writer tells what was acknowledged.
const ACKNOWLEDGED: &str = "TASKSTORE_TEST_POWER_ACKNOWLEDGED";

/// `EXT4_IOC_SHUTDOWN`, which XFS has by the same number, with the flag that leaves the journal unwritten.
const SHUT_DOWN: &str = "import fcntl,os,struct,sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

/// Not a test of its own: the process that writes numbers from 1 until it is killed.
#[test]
fn the_process_that_writes_until_the_power_is_cut() {
    let Some((role, path)) = role() else { return };
    let acknowledged = OpenOptions::new().write(true).open(env::var_os(ACKNOWLEDGED).unwrap()).unwrap();
    let write: Box<dyn Fn(u64)> = match role.as_str() {
        "off" => {
            let plain = Connection::open(path).unwrap();
            plain.pragma_update(None, "journal_mode", "wal").unwrap();
            plain.pragma_update(None, "synchronous", "off").unwrap();
            plain.execute("CREATE TABLE row (number INTEGER PRIMARY KEY) STRICT", []).unwrap();
            Box::new(move |number| {
                plain.execute("INSERT INTO row VALUES (?1)", [i64::try_from(number).unwrap()]).unwrap();
            })
        }
        durability => {
            let full = durability == "full";
            let options = options().durability(if full { Durability::Full } else { Durability::Normal });
            let store = options.open(path).unwrap();
            Box::new(move |number| {
                store.start_detached(NewTask::new(number.to_string())).unwrap();
            })
        }
    };
    for number in 1_u64.. {
        write(number);
        // In the system's memory, which a cut of the image's power leaves alone.
        acknowledged.write_all_at(&number.to_ne_bytes(), 0).unwrap();
    }
}

fn acknowledged(file: &fs::File) -> u64 {
    let mut number = [0; 8];
    file.read_exact_at(&mut number, 0).map_or(0, |()| u64::from_ne_bytes(number))
}

/// The numbers in a file, or what is wrong with it.
fn numbers(role: &str, path: &Path) -> Result<Vec<u64>, String> {
    if role == "off" {
        let plain = Connection::open(path).map_err(|error| error.to_string())?;
        let select = plain.prepare("SELECT number FROM row ORDER BY number");
        let numbers = select.and_then(|mut select| select.query_map([], |row| row.get::<_, i64>(0))?.collect());
        return numbers
            .map(|numbers: Vec<_>| numbers.into_iter().map(|number| number.try_into().unwrap()).collect())
            .map_err(|error| error.to_string());
    }
    let store = options().open(path).map_err(|error| format!("{error:?}"))?;
    let findings = store.check().map_err(|error| format!("{error:?}"))?;
    if !findings.is_empty() {
        return Err(format!("{findings:?}"));
    }
    Ok(super::ledger::titles(&store).into_iter().map(|title| title.parse().unwrap()).collect())
}

/// What a cut did to what had been acknowledged before it.
#[derive(Debug, Default)]
struct Losses {
    acknowledged: u64,
    lost: u64,
    cuts_that_lose: u32,
    broken: Vec<String>,
}

/// A disk of its own, in a file.
struct Image {
    directory: tempfile::TempDir,
    file_system: String,
    mounted: Option<Mounted>,
}

impl Image {
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let file_system = env::var(FILE_SYSTEM).unwrap_or_else(|_| "ext4".to_owned());
        let image = directory.path().join("image");
        fs::File::create(&image).unwrap().set_len(400 << 20).unwrap();
        fs::create_dir(directory.path().join("disk")).unwrap();
        let force = if file_system == "ext4" { "-qF" } else { "-qf" };
        let made = Command::new(format!("mkfs.{file_system}")).arg(force).arg(&image).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfs.{file_system} is needed");
        let mut image = Self { directory, file_system, mounted: None };
        image.mount().then_some(image)
    }

    fn mount(&mut self) -> bool {
        let (image, point) = (self.directory.path().join("image"), self.directory.path().join("disk"));
        let options = ["-t", &self.file_system, "-o", "loop", image.to_str().unwrap()];
        self.mounted = Mounted::new(&options, &point);
        self.mounted.is_some()
    }

    fn cut(&self) {
        let point = self.directory.path().join("disk");
        let cut = Command::new("python3").args(["-c", SHUT_DOWN]).arg(point).stdin(Stdio::null()).status();
        assert!(cut.is_ok_and(|status| status.success()), "python3 is needed, and a file system that can be shut down");
    }
}

/// The generator of SplitMix64.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = env::var(SEED).map_or_else(|_| now(), |seed| seed.parse().unwrap());
        eprintln!("{SEED}={seed}");
        Self(seed)
    }

    fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_micros(5_000 + (mixed ^ (mixed >> 31)) % 55_000)
    }
}

/// Cuts the power under a writer so often; `None` where that cannot be done.
fn cut_power(role: &str) -> Option<Losses> {
    let Ok(cuts) = env::var(CUTS) else {
        eprintln!("not tested: {CUTS} says how often");
        return None;
    };
    let (mut image, mut moments, mut losses) = (Image::new()?, Moments::new(), Losses::default());
    let told = image.directory.path().join("acknowledged");
    for cut in 0..cuts.parse::<u32>().unwrap() {
        let path = image.directory.path().join("disk").join(format!("{cut}.db"));
        fs::File::create(&told).unwrap();
        let reader = OpenOptions::new().read(true).open(&told).unwrap();
        let test = "faults::power::the_process_that_writes_until_the_power_is_cut";
        let writer = Telling::start_with(test, role, &path, &[(ACKNOWLEDGED, told.to_str().unwrap())]);
        until(|| if acknowledged(&reader) > 0 { Ok(()) } else { Err("nothing was written") });
        thread::sleep(moments.next());

        let before = acknowledged(&reader);
        image.cut();
        writer.kill();
        drop(image.mounted.take());
        assert!(image.mount());
        losses.acknowledged += before;
        match numbers(role, &path) {
            Ok(found) => {
                let mut sorted = found;
                sorted.sort_unstable();
                let count = u64::try_from(sorted.len()).unwrap();
                if !sorted.iter().copied().eq(1..=count) {
                    losses.broken.push(format!("cut {cut}: not a prefix: {sorted:?}"));
                }
                losses.lost += before.saturating_sub(count);
                losses.cuts_that_lose += u32::from(count < before);
            }
            Err(damage) => {
                losses.cuts_that_lose += 1;
                losses.broken.push(format!("cut {cut}: {damage}"));
            }
        }
    }
    eprintln!("{role}: {losses:?}");
    Some(losses)
}

#[test]
fn at_full_durability_a_power_cut_loses_nothing_that_was_acknowledged() {
    let Some(losses) = cut_power("full") else { return };
    assert!(losses.acknowledged > 0);
    assert_eq!((losses.lost, losses.broken), (0, Vec::new()));
}

#[test]
fn at_normal_durability_a_power_cut_may_lose_the_latest_and_damages_nothing() {
    let Some(losses) = cut_power("normal") else { return };
    assert!(losses.acknowledged > 0);
    assert_eq!(losses.broken, [""; 0]);
}

/// The control: what SQLite does not sync is not there, or this cuts no power.
#[test]
fn without_syncs_a_power_cut_loses_what_was_acknowledged() {
    let Some(losses) = cut_power("off") else { return };
    assert!(losses.cuts_that_lose > 0, "{losses:?}");
}
