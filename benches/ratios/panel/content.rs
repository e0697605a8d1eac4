//! What the tasks of a panel are: the same ones for the same seed, on every machine.

use taskstore::Level;

/// Pseudo-random numbers: splitmix64.
pub struct Random(u64);

impl Random {
    /// The numbers of one task, which are the same whatever the others are.
    pub fn of(stream: u64, number: u64) -> Self {
        let mut seeds = Self(stream);
        Self(seeds.next() ^ number.wrapping_mul(0xa24b_aed4_963e_e407))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn in_thousand(&mut self, chances: u64) -> bool {
        self.below(1_000) < chances
    }

    pub fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.next() >> 32).expect("32 bits") % of.len();
        of.get(place).expect("the remainder is an index")
    }
}

pub const CONFIGURATIONS: u64 = 40;
/// Whose configurations are deleted in the end: neither the largest nor only small ones.
pub const DELETED: [u64; 5] = [4, 11, 19, 28, 37];

pub const USERS: [&str; 12] = [
    "ann",
    "ben",
    "carla.meyer",
    "dmitri",
    "erika.mustermann",
    "farid",
    "grace",
    "operator",
    "jenkins",
    "søren",
    "nightly",
    "root",
];
/// Those who tidy up.
pub const TIDYING: [&str; 3] = ["ann", "ben", "operator"];

const VERBS: [&str; 12] = [
    "Create standby of",
    "Switch over",
    "Take a base backup of",
    "Apply minor update to",
    "Restart",
    "Check the free space of",
    "Verify the last backup of",
    "Rotate the certificates of",
    "Rebuild the indexes of",
    "Überprüfe die Replikation von",
    "Größe ändern von",
    "再起動",
];
const OBJECTS: [&str; 6] = ["db", "the cluster", "the tablespace orders of", "host", "the standby", "la base données"];
const PLACES: [&str; 5] = ["west", "east-2", "frankfurt", "test", "zürich"];

const STEPS: [&str; 10] = [
    "Running pre-checks on",
    "Copying the data files of",
    "Waiting for replication to catch up on",
    "Writing the configuration to",
    "Stopping the listener of",
    "Starting the standby of",
    "Comparing checksums with",
    "Überprüfe die Verbindung zu",
    "Removing the snapshot of",
    "Registering the new member at",
];
const DETAILS: [&str; 4] = [
    ": 1 of 1 done",
    ": this takes a while; the rate is limited to 80 MiB/s by the profile of the host",
    ": /var/lib/store/base/16384/pg_internal.init -> /mnt/backup/2026/base/16384/pg_internal.init (8192 bytes, ok)",
    " after 3 attempts",
];
const WARNINGS: [&str; 3] =
    ["Less than 20 % are free on", "No answer within 5 s, trying again:", "The clock differs on"];
const REASONS: [&str; 3] = ["connection refused by", "no space left on device at", "the checks did not pass on"];

/// A task that is to be written.
pub struct Content {
    /// Which configuration, the largest first.
    pub configuration: Option<u64>,
    pub title: String,
    pub performed_by: &'static str,
    pub key: Option<String>,
    pub messages: Vec<(Level, String)>,
    pub shows_progress: bool,
    pub ending: Ending,
    /// How long it runs.
    pub duration_ns: i64,
}

pub enum Ending {
    Finished,
    Failed(String),
    Interrupted,
    /// It is in progress still.
    None,
}

impl Content {
    pub fn of(random: &mut Random, is_in_progress: bool) -> Self {
        let name = format!("{} {}.{}", random.pick(&OBJECTS), random.below(97), random.pick(&PLACES));
        let title = format!("{} {name}", random.pick(&VERBS));
        let performed_by = if random.in_thousand(80) { "" } else { random.pick(&USERS) };
        let configuration = (!random.in_thousand(300)).then(|| configuration(random));
        let mut messages = Vec::new();
        // 4 on average, most have fewer, a few have dozens.
        while messages.len() < 40 && random.in_thousand(800) {
            messages.push(message(random, &name));
        }
        let ending = match random.below(1_000) {
            _ if is_in_progress => Ending::None,
            0..45 => Ending::Failed(format!("{} {name}", random.pick(&REASONS))),
            45..55 => Ending::Interrupted,
            _ => Ending::Finished,
        };
        // One that is to be interrupted is found again by its key.
        let has_key = random.in_thousand(20) || matches!(ending, Ending::Interrupted);
        let key = has_key.then(|| format!("job-{:016x}", random.next()));
        // From two seconds to hours.
        let duration_ns = (1_500_000_000 << random.below(13)) + i64::try_from(random.below(1 << 30)).expect("30 bits");
        let shows_progress = random.in_thousand(150);
        Self { configuration, title, performed_by, key, messages, shows_progress, ending, duration_ns }
    }
}

/// The n-th largest has an n-th of the tasks of the largest, which has 16 % of all.
fn configuration(random: &mut Random) -> u64 {
    let weight = |place: u64| 1_000_000 / (place + 1);
    let mut left = random.below((0..CONFIGURATIONS).map(weight).sum());
    (0..CONFIGURATIONS)
        .find(|place| {
            let found = left < weight(*place);
            left = left.saturating_sub(weight(*place));
            found
        })
        .unwrap_or(0)
}

fn message(random: &mut Random, name: &str) -> (Level, String) {
    match random.below(1_000) {
        0..30 => (Level::Warn, format!("{} {name}", random.pick(&WARNINGS))),
        30..80 => (Level::Debug, format!("{} {name}{}", random.pick(&STEPS), random.pick(&DETAILS))),
        80..330 => (Level::Info, format!("{} {name}{}", random.pick(&STEPS), random.pick(&DETAILS))),
        _ => (Level::Info, format!("{} {name}", random.pick(&STEPS))),
    }
}
