//! The goals of reads. Where nothing else is said they are times, and less is better.

use std::time::Duration;

use taskstore::Durability::{Full, Normal};
use taskstore::{ConfigurationFilter, Dismissed, Level, Order, Outcomes};

use super::filters::{middle_to_unfiltered, smallest, text_to_unfiltered, to_unfiltered};
use super::year::day;
use super::{Kind, beside, get, indexes, lists, stream};
use crate::goal::Goal;

/// What an index leads to costs no more than so many times the page without a filter.
const INDEXED: f64 = 3.0;
const HOUR: Duration = Duration::from_secs(3_600);
const LONG: Duration = Duration::from_secs(100 * 366 * 86_400);

pub const GOALS: &[Goal] = &[
    // To rusqlite by hand on the same file, and to a store of a thousand tasks.
    Goal::at_most("panel_get/1M", 1.15, get::to_raw),
    Goal::figure("panel_get_again/1M", get::again_to_raw),
    Goal::at_most("panel_get_growth/1M", 3.5, get::growth),
    Goal::at_most("panel_of_configuration/1M", 1.15, lists::of_configuration_to_raw),
    Goal::at_most("panel_of_configuration_growth/1M", 1.3, lists::of_configuration_growth),
    Goal::at_most("panel_newest/1M", 1.15, |run| lists::newest_to_raw(run, Kind::MostDismissed)),
    Goal::at_most("panel_newest_all_visible/1M", 1.15, |run| lists::newest_to_raw(run, Kind::AllVisible)),
    Goal::at_most("panel_newest_growth/1M", 1.2, |run| lists::newest_growth(run, Kind::MostDismissed)),
    Goal::at_most("panel_newest_all_visible_growth/1M", 1.2, |run| lists::newest_growth(run, Kind::AllVisible)),
    Goal::at_most("panel_middle/1M", 1.2, lists::middle_to_first),
    Goal::at_most("panel_newest_dismissed/1M", 1.3, |run| lists::newest_to_all_visible(run, Kind::NewestDismissed)),
    Goal::at_most("panel_most_dismissed/1M", 1.3, |run| lists::newest_to_all_visible(run, Kind::MostDismissed)),
    Goal::at_most("panel_all/100k", 1.15, lists::all_to_raw),
    Goal::at_most("panel_all_growth/100k", 12.0, lists::all_growth),
    Goal::at_most("panel_counts_growth/1M", 2.0, get::counts_growth),
    Goal::at_most("panel_counts_of_configuration_growth/1M", 2.0, get::counts_of_configuration_growth),
    // All tasks as JSON.
    Goal::at_most("stream_cpu/100k", 0.7, stream::cpu_to_structs),
    Goal::at_most("stream_memory_mib/1M", 32.0, stream::memory),
    Goal::at_most("stream_memory_growth/1M", 1.1, stream::memory_growth),
    // A page by each filter to one by none. With an index:
    Goal::at_most("filter/configuration_largest/1M", INDEXED, |run| {
        to_unfiltered(run, |filled, page| page.configuration(filled.largest()))
    }),
    Goal::at_most("filter/configuration_smallest/1M", INDEXED, |run| {
        to_unfiltered(run, |filled, page| page.configuration(smallest(filled)))
    }),
    Goal::at_most("filter/in_progress/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.outcomes(Outcomes::IN_PROGRESS))
    }),
    Goal::at_most("filter/failed/1M", INDEXED, |run| to_unfiltered(run, |_, page| page.outcomes(Outcomes::FAILED))),
    Goal::at_most("filter/interrupted/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.outcomes(Outcomes::INTERRUPTED))
    }),
    Goal::at_most("filter/not_finished/1M", INDEXED, |run| {
        let outcomes = Outcomes::FAILED | Outcomes::INTERRUPTED | Outcomes::IN_PROGRESS;
        to_unfiltered(run, |_, page| page.outcomes(outcomes))
    }),
    Goal::at_most("filter/failed_dismissed_too/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.outcomes(Outcomes::FAILED).dismissed(Dismissed::Included))
    }),
    Goal::at_most("filter/warnings/1M", INDEXED, |run| to_unfiltered(run, |_, page| page.level_reached(Level::Warn))),
    Goal::at_most("filter/errors/1M", INDEXED, |run| to_unfiltered(run, |_, page| page.level_reached(Level::Error))),
    Goal::at_most("filter/dismissed_too/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.dismissed(Dismissed::Included))
    }),
    Goal::at_most("filter/dismissed_only/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.dismissed(Dismissed::Only))
    }),
    Goal::at_most("filter/running_longer_than_an_hour/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.running_longer_than(HOUR))
    }),
    Goal::at_most("filter/running_longer_than_a_century/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.running_longer_than(LONG))
    }),
    Goal::at_most("filter/oldest_first/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.order(Order::OldestFirst))
    }),
    Goal::at_most("filter/recently_updated/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.order(Order::RecentlyUpdated))
    }),
    Goal::at_most("filter/recently_updated_middle/1M", INDEXED, |run| {
        middle_to_unfiltered(run, |page| page.order(Order::RecentlyUpdated))
    }),
    Goal::at_most("filter/recently_updated_dismissed_too/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.order(Order::RecentlyUpdated).dismissed(Dismissed::Included))
    }),
    Goal::at_most("filter/longest_running/1M", INDEXED, |run| {
        to_unfiltered(run, |_, page| page.order(Order::LongestRunning))
    }),
    // What is read past is said, and costs its time.
    Goal::figure("filter/finished/1M", |run| to_unfiltered(run, |_, page| page.outcomes(Outcomes::FINISHED))),
    Goal::figure("filter/performed_by/1M", |run| to_unfiltered(run, |_, page| page.performed_by("ben"))),
    Goal::figure("filter/performed_by_nobody/1M", |run| to_unfiltered(run, |_, page| page.performed_by(""))),
    Goal::figure("filter/performed_by_a_stranger/1M", |run| to_unfiltered(run, |_, page| page.performed_by("eve"))),
    Goal::figure("filter/performed_by_a_stranger_dismissed_too/1M", |run| {
        to_unfiltered(run, |_, page| page.performed_by("eve").dismissed(Dismissed::Included))
    }),
    Goal::figure("filter/dismissed_by/1M", |run| to_unfiltered(run, |_, page| page.dismissed_by("ben"))),
    Goal::figure("filter/dismissed_by_a_stranger/1M", |run| to_unfiltered(run, |_, page| page.dismissed_by("eve"))),
    Goal::figure("filter/configuration_deleted/1M", |run| {
        to_unfiltered(run, |_, page| page.configuration(ConfigurationFilter::Deleted))
    }),
    Goal::figure("filter/configuration_none/1M", |run| {
        to_unfiltered(run, |_, page| page.configuration(ConfigurationFilter::None))
    }),
    Goal::figure("filter/started_last_week/1M", |run| {
        to_unfiltered(run, |_, page| page.started(day(358).start..day(364).end))
    }),
    Goal::figure("filter/started_on_the_first_day/1M", |run| to_unfiltered(run, |_, page| page.started(day(0)))),
    Goal::figure("filter/updated_on_the_first_day/1M", |run| to_unfiltered(run, |_, page| page.updated(day(0)))),
    Goal::figure("filter/finished_on_the_first_day/1M", |run| to_unfiltered(run, |_, page| page.finished(day(0)))),
    Goal::figure("filter/started_never_dismissed_too/1M", |run| {
        to_unfiltered(run, |_, page| page.started(day(-9)).dismissed(Dismissed::Included))
    }),
    Goal::figure("filter/title/1M", |run| text_to_unfiltered(run, |page| page.title("certificates"))),
    Goal::figure("filter/title_of_none/1M", |run| text_to_unfiltered(run, |page| page.title("no such title"))),
    Goal::figure("filter/message/1M", |run| text_to_unfiltered(run, |page| page.message("no space left"))),
    Goal::figure("filter/message_of_none/1M", |run| text_to_unfiltered(run, |page| page.message("no such message"))),
    Goal::figure("filter/text/1M", |run| text_to_unfiltered(run, |page| page.text("ZÜRICH"))),
    Goal::figure("filter/text_of_none/1M", |run| text_to_unfiltered(run, |page| page.text("no such text"))),
    Goal::figure("filter/text_of_none_dismissed_too/1M", |run| {
        text_to_unfiltered(run, |page| page.text("no such text").dismissed(Dismissed::Included))
    }),
    // Several at once.
    Goal::figure("filter/configuration_and_failed/1M", |run| {
        to_unfiltered(run, |filled, page| page.configuration(filled.largest()).outcomes(Outcomes::FAILED))
    }),
    Goal::figure("filter/failed_and_performed_by/1M", |run| {
        to_unfiltered(run, |_, page| page.outcomes(Outcomes::FAILED).performed_by("ben"))
    }),
    Goal::figure("filter/configuration_and_errors_dismissed_too/1M", |run| {
        to_unfiltered(run, |filled, page| {
            page.configuration(filled.largest()).level_reached(Level::Error).dismissed(Dismissed::Included)
        })
    }),
    Goal::figure("filter/recently_updated_and_performed_by/1M", |run| {
        to_unfiltered(run, |_, page| page.order(Order::RecentlyUpdated).performed_by("ben"))
    }),
    Goal::figure("filter/everything_at_once/1M", |run| {
        to_unfiltered(run, |filled, page| {
            let page = page.configuration(filled.largest()).outcomes(Outcomes::FAILED | Outcomes::FINISHED);
            page.performed_by("ben")
                .dismissed_by("ann")
                .level_reached(Level::Error)
                .started(day(0))
                .text("no such text")
        })
    }),
    // The newest page while another thread writes; the second is of rates.
    Goal::at_most("beside_writer_page/1M", 1.6, beside::page_to_idle),
    Goal::at_least("beside_reader_writer/1M", 0.8, beside::writer_to_alone),
    // What the index of times costs those who write, and what one of all tasks would.
    Goal::figure("index_of_times_to_none/batch", |run| indexes::batch(run, indexes::NONE)),
    Goal::figure("index_of_times_to_none/normal", |run| indexes::verbs(run, Normal, indexes::NONE)),
    Goal::figure("index_of_times_to_none/full", |run| indexes::verbs(run, Full, indexes::NONE)),
    Goal::figure("index_of_times_to_one_of_all/batch", |run| indexes::batch(run, indexes::OF_ALL)),
    Goal::figure("index_of_times_to_one_of_all/normal", |run| indexes::verbs(run, Normal, indexes::OF_ALL)),
    Goal::figure("index_of_times_to_one_of_all/full", |run| indexes::verbs(run, Full, indexes::OF_ALL)),
];
