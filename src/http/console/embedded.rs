//! The files of the console in the program itself, as `build.rs` found and compressed them.

use super::file::{Served, digest_of, index_of};
use super::media::media_type;
use super::modules::preload;
use actix_web::web::Bytes;
use std::collections::HashMap;

/// A file of `web/`.
struct File {
    path: &'static str,
    plain: &'static [u8],
    /// The same, compressed; `None` if it is not much smaller then.
    brotli: Option<&'static [u8]>,
}

impl File {
    fn text(&self) -> Option<&'static str> {
        std::str::from_utf8(self.plain).ok()
    }
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// The files, ready to be served.
pub(super) struct Embedded {
    /// The hash of all files, which is part of their address: the files at an address never change.
    pub(super) build: String,
    /// `None` if the program was built without a console.
    pub(super) index: Option<Served>,
    assets: HashMap<&'static str, Served>,
}

impl Embedded {
    pub(super) fn load() -> Self {
        let mut build = digest_of(FILES.iter().flat_map(|file| [file.path.as_bytes(), file.plain]));
        // The page has it once for each file of the first load, and 64 bits tell builds apart.
        build.truncate(16);
        let text_of = |path: &str| FILES.iter().find(|file| file.path == path).and_then(File::text);
        let index = text_of("index.html").map(|page| index_of(&preload(page, text_of), &build));
        let asset = |file: &File| {
            let (plain, brotli) = (Bytes::from_static(file.plain), file.brotli.map(Bytes::from_static));
            Some((file.path, Served::new(plain, brotli, media_type(file.path)?)))
        };
        let assets = FILES.iter().filter_map(asset).collect();
        Self { build, index, assets }
    }

    pub(super) fn asset(&self, path: &str) -> Option<Served> {
        self.assets.get(path).cloned()
    }
}
