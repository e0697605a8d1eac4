//! What the query of a request asks for. All the odd rules are the published API's.

use uuid::Uuid;

use super::refusal::Refusal;
use crate::system_task::{PageNumber, SortKey, SystemTask, SystemTaskFilter, SystemTaskStatus};
use crate::{TaskStore, sqlite};

/// The rows of a page, if the query does not say.
pub(crate) const PAGE_SIZE: u64 = 100;

const NO_NUL: &str = "Null characters are not allowed.";

/// The query of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRequest {
    /// Which rows, and their order. Its page is not heeded.
    pub filter: SystemTaskFilter,
    /// Which page.
    pub page: PageNumber,
    /// How many rows a page has. The published API knows no maximum: the answer is streamed.
    pub page_size: u64,
}

impl ListRequest {
    /// Reads the parameters, already decoded, in their order.
    ///
    /// Of a repeated parameter the last wins; unknown ones are ignored, and so are blank filters, and fields of `ordering`
    /// that there are not. `page_size` falls back to 100 for what is no positive whole number.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] to answer with: 400 for a bad `status` or a NUL, 404 for what is no page's number.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(parameters: impl IntoIterator<Item = (N, V)>) -> Result<Self, Refusal> {
        let parameters = Parameters::collect(parameters);
        let filter = parameters.filter()?;
        let page = parameters.page.as_deref().map_or(Some(PageNumber::Number(1)), page_number);
        Ok(Self {
            filter: filter.sort(parameters.ordering.as_deref().map(sort_keys).unwrap_or_default()),
            page: page.ok_or_else(Refusal::invalid_page)?,
            page_size: parameters.page_size.as_deref().and_then(page_size).unwrap_or(PAGE_SIZE),
        })
    }
}

/// The path and the query of a retrieve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetrieveRequest {
    /// Which row.
    pub uuid: Uuid,
    /// What it must be like, to be found: the filters of the list hold here too.
    pub filter: SystemTaskFilter,
}

impl RetrieveRequest {
    /// The row of this uuid, whatever it is like.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self { uuid, filter: SystemTaskFilter::new() }
    }

    /// Reads the uuid, as [`parse_uuid`] does, and the parameters, as [`ListRequest::parse`] does.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] to answer with: 400 for a bad `status` or a NUL, 404 for what is no uuid.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        uuid: &str,
        parameters: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Refusal> {
        let filter = Parameters::collect(parameters).filter()?;
        Ok(Self { uuid: parse_uuid(uuid).ok_or_else(Refusal::not_found)?, filter })
    }

    /// The row that is meant, for whoever runs it.
    ///
    /// # Errors
    ///
    /// [`NoSuchSystemTask`](crate::Error::NoSuchSystemTask), also for a row that the filter leaves out; and the
    /// [errors of reading](TaskStore#errors-of-reading).
    pub fn system_task(&self, store: &TaskStore) -> crate::Result<SystemTask> {
        store.database().read(|read| sqlite::system_task::get(read, &self.filter, self.uuid))
    }
}

/// Reads a uuid as leniently as the published API: hyphens anywhere or nowhere, upper case, braces, `urn:uuid:`.
#[must_use]
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let text = text.replace("urn:", "").replace("uuid:", "");
    let digits = text.trim_matches(['{', '}']).replace('-', "");
    let is_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { Uuid::try_parse(&digits).ok() } else { None }
}

/// The last value of each parameter that is known.
#[derive(Default)]
struct Parameters {
    name: Option<String>,
    uid: Option<String>,
    status: Option<String>,
    search: Option<String>,
    ordering: Option<String>,
    page: Option<String>,
    page_size: Option<String>,
}

impl Parameters {
    fn collect<N: AsRef<str>, V: AsRef<str>>(parameters: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut known = Self::default();
        for (name, value) in parameters {
            let place = match name.as_ref() {
                "name" => &mut known.name,
                "uid" => &mut known.uid,
                "status" => &mut known.status,
                "search" => &mut known.search,
                "ordering" => &mut known.ordering,
                "page" => &mut known.page,
                "page_size" => &mut known.page_size,
                _ => continue,
            };
            *place = Some(value.as_ref().to_owned());
        }
        known
    }

    /// Name, uid and status are checked before the search, and all of them together.
    fn filter(&self) -> Result<SystemTaskFilter, Refusal> {
        let mut problems = Vec::new();
        let mut text = |field, value: &Option<String>| {
            let value = value.as_deref().unwrap_or_default().trim();
            if value.contains('\0') {
                problems.push((field, NO_NUL.to_owned()));
            }
            Some(value).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let (name, uid) = (text("name", &self.name), text("uid", &self.uid));

        let status = match self.status.as_deref() {
            None | Some("") => None,
            Some(text) => match text.parse::<SystemTaskStatus>() {
                Ok(status) => Some(status),
                Err(_) => {
                    let problem = format!("Select a valid choice. {text} is not one of the available choices.");
                    problems.push(("status", problem));
                    None
                }
            },
        };
        if !problems.is_empty() {
            return Err(Refusal::invalid_filters(&problems));
        }
        let search = self.search.clone().unwrap_or_default();
        if search.contains('\0') {
            return Err(Refusal::invalid_search(NO_NUL));
        }
        Ok(SystemTaskFilter { name, uid, status, search, ..SystemTaskFilter::new() })
    }
}

/// The fields that there are; what is left of an order that names none is the default one.
fn sort_keys(ordering: &str) -> Vec<SortKey> {
    ordering.split(',').filter_map(|key| key.trim().parse().ok()).collect()
}

fn page_number(text: &str) -> Option<PageNumber> {
    if text == "last" {
        return Some(PageNumber::Last);
    }
    // What is beyond any page, or before the first, is refused when the pages have been counted.
    whole_number(text).map(|number| PageNumber::Number(u64::try_from(number).unwrap_or(0)))
}

fn page_size(text: &str) -> Option<u64> {
    // There is no maximum: what is beyond a `u64` is all rows as well.
    whole_number(text).filter(|size| *size > 0).map(|size| u64::try_from(size).unwrap_or(u64::MAX))
}

/// A whole number as the published API's language reads it: blanks around it, a sign, leading zeros, and a `_` between
/// digits. One too large for an `i128` counts as its largest.
fn whole_number(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let groups = || digits.split('_');
    if groups().any(|group| group.is_empty() || !group.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let number = groups().collect::<String>().parse::<i128>().unwrap_or(i128::MAX);
    Some(if negative { -number } else { number })
}
