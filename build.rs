//! Embeds the console in the program: lists the files of `web/` that browsers get, compresses them, and writes a table of
//! them that `src/http/console/embedded.rs` includes. Nothing is downloaded, and no other tool runs.

use brotli::enc::BrotliEncoderParams;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "src/http/console/media.rs"]
mod media;

fn main() -> io::Result<()> {
    for path in ["build.rs", "src/http/console/media.rs", "web"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(name.to_owned()));
    let (web, out) = (folder("CARGO_MANIFEST_DIR")?.join("web"), folder("OUT_DIR")?);
    let mut paths = Vec::new();
    if web.is_dir() {
        find(&web, "", &mut paths)?;
    }
    // The order is part of the build's hash, and folders have none.
    paths.sort();
    let mut table = String::from("&[\n");
    for (number, path) in paths.iter().enumerate() {
        let file = web.join(path);
        let brotli = match compress(&fs::read(&file)?, path)? {
            None => "None".to_owned(),
            Some(bytes) => {
                let compressed = out.join(format!("{number}.br"));
                fs::write(&compressed, bytes)?;
                format!("Some(include_bytes!({compressed:?}))")
            }
        };
        // Writing to a String does not fail.
        let _ = writeln!(table, "File {{ path: {path:?}, plain: include_bytes!({file:?}), brotli: {brotli} }},");
    }
    table.push(']');
    fs::write(out.join("console.rs"), table)
}

fn find(folder: &Path, above: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{above}{name}");
        if entry.file_type()?.is_dir() {
            find(&entry.path(), &format!("{path}/"), paths)?;
        } else if path == "index.html" || media::media_type(&path).is_some() {
            paths.push(path);
        }
    }
    Ok(())
}

/// Compresses a file, unless that saves nothing worth a decompression. `index.html` gets the address of the others when
/// the server starts, so it stays as it is.
fn compress(plain: &[u8], path: &str) -> io::Result<Option<Vec<u8>>> {
    if path == "index.html" || path.ends_with(".woff2") {
        return Ok(None);
    }
    let mut compressed = Vec::new();
    let mut remaining = plain;
    brotli::BrotliCompress(&mut remaining, &mut compressed, &BrotliEncoderParams::default())?;
    Ok((compressed.len() < plain.len() / 10 * 9).then_some(compressed))
}
