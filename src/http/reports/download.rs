//! The rows of a report as a file.

use super::contents::RowView;
use crate::http::answer::Download;
use crate::http::error::Problem;
use crate::http::guard::OnReport;
use crate::http::table_file::{Format, TableFile, answer, harmless};
use crate::service::Services;
use crate::service::access::DownloadReport;
use crate::service::failure::Failure;
use crate::service::reports::contents::ContentRows;
use crate::service::reports::{Cell, columns, pool};
use actix_web::web::{Bytes, Data};
use futures_util::stream;

/// The rows of one piece of an answer.
const PIECE_ROWS: usize = 500;

/// `GET /v1/cckm/aws/reports/{id}/download`
pub async fn download(
    auth: OnReport<DownloadReport>,
    format: Format,
    services: Data<Services>,
) -> Result<Download<TableFile>, Problem> {
    let report = auth.permit.report().clone();
    let rows = services.reports.all_rows(&auth.permit).await?;
    let writer = Writer { rows, format, columns: columns(report.kind), is_first: true };
    let pieces = stream::try_unfold(Some(writer), |writer| async {
        let Some(writer) = writer else { return Ok(None) };
        let (piece, writer) = pool::run(|| writer.piece()).await??;
        Ok::<_, Failure>(Some((Bytes::from(piece), writer)))
    });
    Ok(answer(&file_name(report.name.as_str()), format, pieces))
}

/// The name of a report, reduced to characters that are safe in a header and in a file's name.
fn file_name(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    if name.trim_matches(['.', '_']).is_empty() { "report".to_owned() } else { name }
}

/// Writes the file piece by piece.
struct Writer {
    rows: ContentRows,
    format: Format,
    columns: &'static [&'static str],
    is_first: bool,
}

impl Writer {
    /// The next piece, and the writer of the remaining rows, if there are any.
    fn piece(mut self) -> Result<(Vec<u8>, Option<Self>), Failure> {
        let rows = self.rows.take(PIECE_ROWS)?;
        let is_last = rows.len() < PIECE_ROWS;
        let columns = std::mem::take(&mut self.is_first).then_some(self.columns);
        let piece = self.format.write(
            columns,
            rows,
            |row| row.cells.iter().map(text).collect(),
            |row| RowView::of(self.columns, row),
        )?;
        Ok((piece, (!is_last).then_some(self)))
    }
}

/// The text of a cell. Numbers are ours, and stay as they are.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => harmless(text).into_owned(),
        Cell::Absent | Cell::Flag(_) | Cell::Number(_) => cell.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_ours_are_written_as_they_are() {
        assert_eq!(text(&Cell::Number(-3)), "-3");
        assert_eq!(text(&Cell::Text("-3".to_owned())), "'-3");
        assert_eq!(text(&Cell::Absent), "");
    }

    #[test]
    fn a_files_name_has_safe_characters_only() {
        assert_eq!(file_name("daily.v2-x_1"), "daily.v2-x_1");
        assert_eq!(file_name("a/b\"c\r\nd é"), "a_b_c__d__");
        assert_eq!((file_name(".."), file_name("é")), ("report".to_owned(), "report".to_owned()));
    }
}
