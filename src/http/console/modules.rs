//! The modules that the start page needs: its own script, what that imports, and so on. The page names them all, so that a
//! browser asks for them at once, and does not learn of each from the one before.

use std::collections::BTreeSet;
use std::fmt::Write;

/// How the page names its first module, up to the path.
const FIRST: &str = "<script type=\"module\" src=\"{assets}/";

/// Adds the modules that the page needs to its head. `text_of` returns the text of a file.
pub(super) fn preload<'a>(page: &str, text_of: impl Fn(&str) -> Option<&'a str>) -> String {
    let first = page.split_once(FIRST).and_then(|(_, rest)| rest.split_once('"')).map(|(path, _)| path.to_owned());
    let mut found: Vec<String> = first.into_iter().collect();
    let mut known: BTreeSet<String> = found.iter().cloned().collect();
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        let text = text_of(&path).unwrap_or_default();
        let imported = imports(text).filter_map(|relative| resolve(&path, relative));
        let new: Vec<_> = imported.filter(|path| text_of(path).is_some() && known.insert(path.clone())).collect();
        found.extend(new);
    }
    let links = found.iter().skip(1).fold(String::new(), |mut links, path| {
        // Writing to a String does not fail.
        let _ = writeln!(links, "  <link rel=\"modulepreload\" href=\"{{assets}}/{path}\">");
        links
    });
    page.replacen("</head>", &format!("{links}</head>"), 1)
}

/// The paths in the `import … from '…'` and `export … from '…'` of a module. An `import(…)` is not among them: it is for later.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split(" from '").skip(1).filter_map(|rest| rest.split_once('\'')).map(|(path, _)| path);
    let bare = text.lines().filter_map(|line| line.strip_prefix("import '")?.split_once('\'')).map(|(path, _)| path);
    quoted.chain(bare)
}

/// The path of a file that another one names relative to itself.
fn resolve(from: &str, relative: &str) -> Option<String> {
    if !relative.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_what_its_script_imports_and_what_that_imports() {
        let files = [
            (
                "app/main.js",
                "import { a } from './lib/a.js';\nimport '../vendor/v.js';\nconst b = () => import('./b.js');",
            ),
            (
                "app/lib/a.js",
                "import {\n  c,\n} from '../c.js';\nexport { x } from '../main.js';\nimport y from 'elsewhere';",
            ),
            ("app/c.js", "// from './missing.js'\nimport z from '../../../outside.js';"),
            ("app/b.js", ""),
            ("vendor/v.js", ""),
        ];
        let text_of = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| *text);
        let page = "<head>\n  <script type=\"module\" src=\"{assets}/app/main.js\"></script>\n</head>";
        let named = preload(page, text_of);
        let links: Vec<_> = named.split("href=\"{assets}/").skip(1).filter_map(|rest| rest.split_once('"')).collect();
        let paths: Vec<_> = links.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, ["app/lib/a.js", "vendor/v.js", "app/c.js"]);
        assert_eq!(preload("<head></head>", text_of), "<head></head>");
    }
}
