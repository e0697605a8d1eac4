//! What people and background jobs do in a simulation, in words that could be theirs.

/// A kind of task.
#[derive(Debug)]
pub(super) struct Kind {
    /// With `{}` where one of `things` comes in.
    pub(super) title: &'static str,
    pub(super) things: &'static [&'static str],
    /// How long one takes at least; most take less than twice that.
    pub(super) seconds: u64,
    /// What is counted, and how many of it there are at least.
    pub(super) unit: &'static str,
    pub(super) units: u64,
    pub(super) phases: &'static [&'static str],
    pub(super) warnings: &'static [&'static str],
    pub(super) failures: &'static [&'static str],
}

pub(super) const KINDS: [Kind; 9] = [
    Kind {
        title: "Back up {}",
        things: &["orders", "customers", "invoices", "the warehouse"],
        seconds: 90,
        unit: "files",
        units: 240,
        phases: &["taking a snapshot", "copying", "verifying"],
        warnings: &["the network is slow: 4 MB/s", "3 files changed while they were read"],
        failures: &["no space left on the backup volume", "checksum of part 17 does not match"],
    },
    Kind {
        title: "Create standby of {}",
        things: &["orders", "customers", "invoices"],
        seconds: 300,
        unit: "data files",
        units: 40,
        phases: &["checking the host", "copying", "applying changes", "registering"],
        warnings: &["the standby is 90 s behind", "archive 4711 was missing and has been sent again"],
        failures: &["no answer from the standby", "quota exceeded on standby-2", "permission denied (publickey)"],
    },
    Kind {
        title: "Import {}",
        things: &["customers", "the price list", "last week's orders", "addresses"],
        seconds: 25,
        unit: "rows",
        units: 5_000,
        phases: &["reading", "checking", "writing"],
        warnings: &["row 512 has no postcode", "17 rows are there already and were left out"],
        failures: &["line 1044: expected 12 columns, found 11", "the file is not UTF-8"],
    },
    Kind {
        title: "Upgrade {}",
        things: &["web-1", "web-2", "db-1", "the mail gateway"],
        seconds: 180,
        unit: "steps",
        units: 12,
        phases: &["downloading", "stopping services", "installing", "starting services"],
        warnings: &["a reboot is needed", "the old configuration was kept as app.conf.old"],
        failures: &["the new version did not start: port 8443 is in use", "signature of the package is not valid"],
    },
    Kind {
        title: "Restore {}",
        things: &["orders to yesterday", "a deleted mailbox", "the test system"],
        seconds: 150,
        unit: "files",
        units: 200,
        phases: &["finding the backup", "copying", "recovering"],
        warnings: &["the newest backup is 3 days old"],
        failures: &["the backup of that day was deleted", "timed out after 900 s"],
    },
    Kind {
        title: "Rebuild the search index of {}",
        things: &["products", "documents", "the wiki"],
        seconds: 60,
        unit: "documents",
        units: 2_000,
        phases: &["reading", "indexing", "switching over"],
        warnings: &["8 documents are too large to index"],
        failures: &["out of memory in the indexer", "the index is locked by another process"],
    },
    Kind {
        title: "Rotate certificates of {}",
        things: &["web-1", "web-2", "the mail gateway", "the API"],
        seconds: 10,
        unit: "certificates",
        units: 3,
        phases: &["requesting", "installing"],
        warnings: &["the old one had only 2 days left"],
        failures: &["the authority refused: too many requests", "the name does not resolve"],
    },
    Kind {
        title: "Send {}",
        things: &["the newsletter", "invoices of this month", "reminders"],
        seconds: 40,
        unit: "mails",
        units: 800,
        phases: &["preparing", "sending"],
        warnings: &["12 addresses bounced", "the mail server asks to go slower"],
        failures: &["the mail server refused the login", "the template has no subject"],
    },
    Kind {
        title: "Report on {}",
        things: &["sales", "stock", "open tickets"],
        seconds: 15,
        unit: "pages",
        units: 20,
        phases: &["collecting", "drawing", "writing"],
        warnings: &["figures of today are not complete yet"],
        failures: &["division by zero in cell F12", "the data source did not answer"],
    },
];

/// How a task or a run is cut off.
pub(super) const INTERRUPTIONS: [&str; 2] = ["ended without finish or fail", "panicked"];

pub(super) const USERS: [&str; 5] = ["ann", "ben", "carla", "dmitri", "eva"];

pub(super) const CONFIGURATIONS: [&str; 3] = ["production", "staging", "development"];

/// A background job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// It is run for each of them; without any, once.
    pub(super) uids: &'static [&'static str],
    /// From one start to the next, about.
    pub(super) every_minutes: u64,
    /// How long a run takes at least.
    pub(super) seconds: u64,
    pub(super) kept_hours: u64,
    pub(super) events: &'static [&'static str],
    /// What its events count.
    pub(super) counts: &'static str,
    pub(super) warning: &'static str,
    pub(super) failure: &'static str,
}

pub(super) const JOBS: [Job; 5] = [
    Job {
        name: "fetch_mail",
        description: "Fetches the mail",
        uids: &["support", "sales"],
        every_minutes: 10,
        seconds: 2,
        kept_hours: 6,
        events: &["connected", "fetched"],
        counts: "messages",
        warning: "1 message had no subject",
        failure: "the mail server did not answer",
    },
    Job {
        name: "sync_directory",
        description: "Takes users and groups over from the directory",
        uids: &[],
        every_minutes: 30,
        seconds: 8,
        kept_hours: 24,
        events: &["compared", "updated"],
        counts: "users",
        warning: "a group has no members",
        failure: "the directory refused the login",
    },
    Job {
        name: "clean_up",
        description: "Deletes what has expired",
        uids: &[],
        every_minutes: 60,
        seconds: 3,
        kept_hours: 24,
        events: &["deleted"],
        counts: "rows",
        warning: "the table was locked; some are left",
        failure: "the database is read-only",
    },
    Job {
        name: "check_certificates",
        description: "Looks for certificates that expire soon",
        uids: &[],
        every_minutes: 6 * 60,
        seconds: 12,
        kept_hours: 72,
        events: &["looked at"],
        counts: "certificates",
        warning: "one expires within 14 days",
        failure: "the host could not be resolved",
    },
    Job {
        name: "nightly_backup",
        description: "Backs up everything",
        uids: &[],
        every_minutes: 24 * 60,
        seconds: 1_200,
        kept_hours: 7 * 24,
        events: &["snapshot taken", "copied", "verified"],
        counts: "files",
        warning: "the volume is 90 % full",
        failure: "no space left on the backup volume",
    },
];
