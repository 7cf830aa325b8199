//! Pages of lists as answers. Long answers are streamed.

use super::super::describe::{Described, Description};
use super::super::error::Problem;
use super::super::fields;
use crate::service::failure::Failure;
use crate::service::list::{Limit, Listed, Page, Query, Rows, pool};
use actix_web::body::BoxBody;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_util::stream;
use serde::Serialize;
use std::marker::PhantomData;
use std::sync::Arc;
use utoipa::ToSchema;

/// The largest number of rows that the worker's own thread writes; this takes about half a millisecond.
const INLINE_ROWS_MAX: usize = 50;

/// The largest number of rows in an answer with `Content-Length`; longer answers are streamed.
const BUFFERED_ROWS_MAX: usize = 500;

/// The number of rows in a piece of a streamed answer: for keys, a few hundred kB.
const PIECE_ROWS: usize = 100;

/// 200 with one page of a list of `V`.
pub struct List<V> {
    response: HttpResponse,
    row: PhantomData<V>,
}

impl<V: Serialize + ToSchema> List<V> {
    /// A page of views that are made already. `limit` is that of the query or a lower one.
    ///
    /// # Errors
    /// [`Problem`] if the query chooses a member that the views do not have.
    pub fn of(query: &Query, limit: Limit, total: usize, rows: impl Iterator<Item = V>) -> Result<Self, Problem> {
        Ok(Self::of_body(write_page(query, limit, total, rows)?))
    }

    /// A page that [`write_page`] has written.
    pub fn of_body(body: Vec<u8>) -> Self {
        Self::answer(HttpResponse::Ok().content_type("application/json").body(body))
    }

    /// A page that is written already, or is going to be streamed.
    pub(in crate::http) fn answer(response: HttpResponse) -> Self {
        Self { response, row: PhantomData }
    }
}

/// Writes a page of views, as [`List::of`].
///
/// # Errors
/// As [`List::of`].
pub fn write_page<V: Serialize + ToSchema>(
    query: &Query,
    limit: Limit,
    total: usize,
    rows: impl Iterator<Item = V>,
) -> Result<Vec<u8>, Problem> {
    fields::check::<V>(&query.fields)?;
    let mut body = head(query.skip, limit, total).into_bytes();
    write_rows(&mut body, rows, true, &query.fields);
    body.extend_from_slice(b"]}");
    Ok(body)
}

/// A page as an answer. Long pages are written on the threads of [`pool`]. Streamed pages are written in pieces, each
/// once the client has read the previous one; no thread waits for a client.
///
/// # Errors
/// [`Problem`] if the query chooses a member that the views do not have, or the pool fails before the first byte is
/// sent.
pub async fn answer<T: Listed, V: Serialize + ToSchema>(
    page: Page<T>,
    view: impl Fn(&Arc<T>) -> V + Send + 'static,
) -> Result<List<V>, Problem> {
    answer_with(page, view, INLINE_ROWS_MAX).await
}

/// As [`answer`], for rows whose views take long: also short pages are written on the threads of [`pool`].
///
/// # Errors
/// As [`answer`].
pub async fn answer_apart<T: Listed, V: Serialize + ToSchema>(
    page: Page<T>,
    view: impl Fn(&Arc<T>) -> V + Send + 'static,
) -> Result<List<V>, Problem> {
    answer_with(page, view, 0).await
}

async fn answer_with<T: Listed, V: Serialize + ToSchema>(
    page: Page<T>,
    view: impl Fn(&Arc<T>) -> V + Send + 'static,
    inline: usize,
) -> Result<List<V>, Problem> {
    let Page { fields, skip, limit, total, rows } = page;
    fields::check::<V>(&fields)?;
    let count = rows.len();
    let writer = Writer { rows, view, before: Some(head(skip, limit, total)), length: 0, fields };
    let mut body = HttpResponse::Ok();
    body.content_type("application/json");
    if count <= inline {
        return Ok(List::answer(body.body(writer.piece(BUFFERED_ROWS_MAX).0)));
    }
    if count <= BUFFERED_ROWS_MAX {
        return Ok(List::answer(body.body(pool::run(move || writer.piece(BUFFERED_ROWS_MAX).0).await?)));
    }
    let pieces = stream::try_unfold(Some(writer), |writer| async {
        let Some(writer) = writer else { return Ok(None) };
        let (piece, writer) = pool::run(|| writer.piece(PIECE_ROWS)).await?;
        Ok::<_, Failure>(Some((Bytes::from(piece), writer)))
    });
    Ok(List::answer(body.streaming(pieces)))
}

/// Writes a page piece by piece.
struct Writer<T: Listed, F> {
    rows: Rows<T>,
    view: F,
    /// The text before the first row; `None` once it is written.
    before: Option<String>,
    /// The expected length of the next piece: a vector that grows is copied each time.
    length: usize,
    fields: Vec<String>,
}

impl<T: Listed, V: Serialize, F: Fn(&Arc<T>) -> V> Writer<T, F> {
    /// The next piece, and the writer of the remaining rows, if there are any.
    fn piece(mut self, rows: usize) -> (Vec<u8>, Option<Self>) {
        let first = self.before.is_some();
        let mut piece = Vec::with_capacity(self.length);
        piece.extend_from_slice(self.before.take().unwrap_or_default().as_bytes());
        write_rows(&mut piece, self.rows.take(rows).iter().map(&self.view), first, &self.fields);
        self.length = piece.len() + piece.len() / 8;
        if !self.rows.is_empty() {
            return (piece, Some(self));
        }
        piece.extend_from_slice(b"]}");
        (piece, None)
    }
}

pub(in crate::http) fn head(skip: usize, limit: Limit, total: usize) -> String {
    let limit = match limit {
        Limit::All => "-1".to_owned(),
        Limit::Rows(rows) => rows.to_string(),
    };
    format!(r#"{{"skip":{skip},"limit":{limit},"total":{total},"resources":["#)
}

fn write_rows<V: Serialize>(body: &mut Vec<u8>, rows: impl Iterator<Item = V>, mut first: bool, fields: &[String]) {
    for row in rows {
        let before = body.len();
        if !first {
            body.push(b',');
        }
        // A view has texts, numbers and lists only, so this does not fail. If it did, the row would be left out.
        match fields::write(body, &row, fields) {
            Ok(()) => first = false,
            Err(_) => body.truncate(before),
        }
    }
}

impl<V> Responder for List<V> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

impl<V: ToSchema> Described for List<V> {
    fn describe(to: &mut Description) {
        to.answers_page::<V>();
        fields::describe::<V>(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::group::Group;
    use crate::domain::name::GroupName;
    use crate::domain::table::Table;
    use crate::domain::time::Time;
    use actix_web::body::{BodySize, MessageBody, to_bytes};
    use serde_json::json;

    fn group(n: usize) -> (GroupName, Group) {
        let name = GroupName::parse(&format!("g{n}")).unwrap_or_else(|problem| panic!("{problem}"));
        let at = Time::from_nanos(0);
        let (description, metadata) = (String::new(), Default::default());
        (name.clone(), Group { name, description, metadata, members: 0, created: at, updated: at })
    }

    #[actix_web::test]
    async fn a_page_is_the_same_text_whether_it_is_streamed_or_not() {
        let (inline, buffered) = (INLINE_ROWS_MAX, BUFFERED_ROWS_MAX);
        let whole = [0, inline, inline + 1, buffered].map(|count| (count, false));
        let streamed = [1, PIECE_ROWS, PIECE_ROWS + 1].map(|more| (buffered + more, true));
        for (count, is_streamed) in whole.into_iter().chain(streamed) {
            let mut groups = Table::default();
            (0..count).map(group).for_each(|(name, group)| groups.insert(name, group));
            let page = Page::of_rows(Limit::All, &groups);
            let list = answer(page, |group: &Arc<Group>| group.name.to_string()).await;
            let body = list.unwrap_or_else(|problem| panic!("{problem}")).response.into_body();
            assert_eq!(body.size() == BodySize::Stream, is_streamed, "{count}");
            let text = to_bytes(body).await.unwrap_or_else(|problem| panic!("{problem}"));
            let names: Vec<String> = (0..count).map(|n| format!("g{n}")).collect();
            let expected = format!(r#"{{"skip":0,"limit":-1,"total":{count},"resources":{}}}"#, json!(names));
            assert_eq!(text, expected.as_bytes(), "{count}");
        }
    }

    #[actix_web::test]
    async fn rows_that_take_long_are_never_written_by_the_worker_itself() {
        let mut groups = Table::default();
        (0..2).map(group).for_each(|(name, group)| groups.insert(name, group));
        let here = || format!("{:?}", std::thread::current().id());
        let view = move |_: &Arc<Group>| here();
        let texts = [
            answer(Page::of_rows(Limit::All, &groups), view).await,
            answer_apart(Page::of_rows(Limit::All, &groups), view).await,
        ];
        let mut is_here = Vec::new();
        for list in texts {
            let body = list.unwrap_or_else(|problem| panic!("{problem}")).response.into_body();
            let text = to_bytes(body).await.unwrap_or_else(|problem| panic!("{problem}"));
            is_here.push(String::from_utf8_lossy(&text).contains(&here()));
        }
        assert_eq!(is_here, [true, false]);
    }
}
