//! The steps of one past, in their order.

use chrono::{DateTime, Utc};

use super::{Given, GivenError, Moment};
use crate::testing::ManualClock;
use crate::{Batch, Clock, Result};

/// What happened when. The first step is the start.
#[derive(Debug)]
pub(super) struct Life<Act> {
    /// Whose it is, in words.
    pub(super) of: String,
    steps: Vec<Step<Act>>,
}

#[derive(Debug)]
struct Step<Act> {
    /// The builder's method.
    name: &'static str,
    moment: Moment,
    act: Act,
}

impl<Act> Life<Act> {
    pub(super) fn new(of: String) -> Self {
        Self { of, steps: Vec::new() }
    }

    pub(super) fn push(&mut self, name: &'static str, moment: impl Into<Moment>, act: Act) {
        self.steps.push(Step { name, moment: moment.into(), act });
    }

    /// Each step's time, checked.
    pub(super) fn times(&self, now: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, GivenError> {
        let mut times = Vec::with_capacity(self.steps.len());
        for (index, step) in self.steps.iter().enumerate() {
            let after = index.checked_sub(1).and_then(|before| Some((self.step(before), *times.get(before)?)));
            let name = || self.step(index);
            let time = self.time(&step.moment, name, after, now)?;
            if time > now {
                return Err(GivenError::InTheFuture { of: self.of.clone(), step: name(), time, now });
            }
            times.push(time);
        }
        Ok(times)
    }

    /// The time of a step, which must not be before the one that it comes after.
    pub(super) fn time(
        &self,
        moment: &Moment,
        step: impl Fn() -> String,
        after: Option<(String, DateTime<Utc>)>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, GivenError> {
        let of = || self.of.clone();
        let time = moment.time(now).map_err(|text| GivenError::NotATime { of: of(), step: step(), text })?;
        match after {
            Some((after, after_time)) if time < after_time => {
                Err(GivenError::TooEarly { of: of(), step: step(), time, after, after_time })
            }
            _ => Ok(time),
        }
    }

    /// The name of the last step.
    pub(super) fn last_step(&self) -> String {
        self.step(self.steps.len().saturating_sub(1))
    }

    /// A step's name, with its number if there are several.
    fn step(&self, index: usize) -> String {
        let Some(Step { name, .. }) = self.steps.get(index) else { return String::new() };
        let same = |steps: &[Step<Act>]| steps.iter().filter(|step| step.name == *name).count();
        match (same(&self.steps), self.steps.get(..=index).map(same)) {
            (2.., Some(number)) => format!("{name} {number}"),
            _ => (*name).to_owned(),
        }
    }

    /// Does all of it in one transaction, the clock standing at each step's time. `start` does the first step.
    pub(super) fn play<T>(
        &self,
        given: Given<'_>,
        times: &[DateTime<Utc>],
        start: impl FnOnce(&Batch<'_>) -> Result<T, GivenError>,
        act: impl Fn(&Batch<'_>, &T, &Act) -> Result<()>,
    ) -> Result<T, GivenError> {
        let clock = ManualClock::at(times.first().copied().unwrap_or_default());
        given.batch(&clock, |batch| {
            let started = start(batch)?;
            for (index, (step, time)) in self.steps.iter().zip(times).enumerate().skip(1) {
                clock.advance((*time - clock.now()).to_std().unwrap_or_default());
                act(batch, &started, &step.act).map_err(|source| self.refused(index, source))?;
            }
            Ok(started)
        })
    }

    /// A step was refused.
    pub(super) fn refused(&self, index: usize, source: crate::Error) -> GivenError {
        GivenError::Refused { of: self.of.clone(), step: self.step(index), source: Box::new(source) }
    }
}
