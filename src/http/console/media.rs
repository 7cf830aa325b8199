//! Which files of `web/` browsers get, and as what. `build.rs` includes this file too, so it uses the standard library only.

/// The folders of `web/` whose files are served, besides the icons in it.
const FOLDERS: &[&str] = &["app", "style", "vendor", "fonts"];

/// Returns the media type of a file, by its path below `web/`; `None` if it is not served.
pub(crate) fn media_type(path: &str) -> Option<&'static str> {
    let folder = path.split_once('/').map(|(folder, _)| folder);
    let is_served = folder.map_or(path.ends_with(".svg"), |folder| FOLDERS.contains(&folder));
    let is_for_tests = path.ends_with(".test.js") || path.ends_with(".d.ts");
    if !is_served || is_for_tests || !path.split('/').all(is_plain_name) {
        return None;
    }
    match path.rsplit_once('.')?.1 {
        "js" | "mjs" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "woff2" => Some("font/woff2"),
        "json" => Some("application/json"),
        "txt" | "LICENSE" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// Whether a part of a path is a plain name: no `..`, no hidden file, nothing that a file system may understand otherwise.
fn is_plain_name(part: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain)
}
