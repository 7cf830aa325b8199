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
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        "LICENSE" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// Whether a part of a path is a plain name: no `..`, no hidden file, nothing that a file system may understand otherwise.
fn is_plain_name(part: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn only_plain_files_of_the_console_are_served() {
        for (path, media) in [
            ("app/main.js", "text/javascript; charset=utf-8"),
            ("app/pages/keys/list.js", "text/javascript; charset=utf-8"),
            ("style/tokens.css", "text/css; charset=utf-8"),
            ("fonts/inter.woff2", "font/woff2"),
            ("icons.svg", "image/svg+xml"),
            ("vendor/preact.LICENSE", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(media_type(path), Some(media), "{path}");
        }
        for path in [
            "",
            "/",
            "index.html",
            "main.js",
            "app",
            "app/",
            "app//main.js",
            "app/../main.js",
            "app/.hidden.js",
            "app/main.test.js",
            "app/types.d.ts",
            "app/main.js\0",
            "app/a b.js",
            "app\\main.js",
            "/app/main.js",
            "node_modules/x/index.js",
            "app/main.exe",
            "vendor/lock.json",
        ] {
            assert_eq!(media_type(path), None, "{path:?}");
        }
    }
}
