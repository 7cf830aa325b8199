//! The console: its files, from the program itself or, for its development, from a directory. It is served at `/` and at
//! every other path that is not the API's, since the addresses of its pages are those of the API without `/api/v1`. It
//! uses the public API and nothing else.

mod embedded;
mod file;
mod media;
mod modules;

use super::error::Problem;
use actix_web::http::Method;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use embedded::Embedded;
use file::{Caching, Served, index_of};
use std::path::PathBuf;

/// Where the files of the console are.
pub struct Console(Files);

enum Files {
    Embedded(Embedded),
    /// Read for each request, so that a change shows after a reload.
    Directory(PathBuf),
}

/// The build in the addresses of files that come from a directory.
const UNBUILT: &str = "unbuilt";

/// The paths whose first part is one of these are never a page of the console.
const OTHERS: &[&str] = &["api", "assets", "healthz", "readyz", "metrics"];

impl Console {
    /// The console from the program, or from a directory with the content of `web/`.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self(directory.map_or_else(|| Files::Embedded(Embedded::load()), Files::Directory))
    }

    async fn index(&self) -> Option<Served> {
        match &self.0 {
            Files::Embedded(embedded) => embedded.index.clone(),
            Files::Directory(directory) => {
                let text = tokio::fs::read_to_string(directory.join("index.html")).await.ok()?;
                Some(index_of(&text, UNBUILT))
            }
        }
    }

    async fn asset(&self, build: &str, path: &str) -> Option<(Served, Caching)> {
        match &self.0 {
            Files::Embedded(embedded) if embedded.build == build => Some((embedded.asset(path)?, Caching::Immutable)),
            Files::Directory(directory) if build == UNBUILT => {
                // Only plain names have a media type, so nothing outside of the directory is read.
                let media = media::media_type(path)?;
                let bytes = tokio::fs::read(directory.join(path)).await.ok()?;
                Some((Served::new(bytes.into(), None, media), Caching::Revalidated))
            }
            // A page of a build before this one loads itself again.
            Files::Embedded(_) | Files::Directory(_) => None,
        }
    }
}

/// The error of a path at which nothing is served.
type Unknown = fn(&HttpRequest) -> Problem;

/// Serves the console, and its start page in place of an error for unknown paths; `unknown` is the error of the others.
pub(super) fn configure(config: &mut ServiceConfig, console: &Data<Console>, unknown: Unknown) {
    let assets = web::resource("/assets/{build}/{path:.+}");
    config.app_data(console.clone()).app_data(Data::new(unknown));
    config.service(assets.route(web::get().to(asset)).route(web::head().to(asset)).default_service(web::to(refuse)));
    config.default_service(web::to(page));
}

async fn asset(
    request: HttpRequest,
    place: Path<(String, String)>,
    console: Data<Console>,
    unknown: Data<Unknown>,
) -> Result<HttpResponse, Problem> {
    let (build, path) = place.into_inner();
    let (file, caching) = console.asset(&build, &path).await.ok_or_else(|| unknown(&request))?;
    Ok(file.answer(&request, caching))
}

async fn page(request: HttpRequest, console: Data<Console>, unknown: Data<Unknown>) -> Result<HttpResponse, Problem> {
    let first = request.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    if !matches!(*request.method(), Method::GET | Method::HEAD) || OTHERS.contains(&first) {
        return Err(unknown(&request));
    }
    let index = console.index().await.ok_or_else(|| unknown(&request))?;
    Ok(index.answer(&request, Caching::Revalidated))
}

async fn refuse(request: HttpRequest, unknown: Data<Unknown>) -> Result<HttpResponse, Problem> {
    Err(unknown(&request))
}
