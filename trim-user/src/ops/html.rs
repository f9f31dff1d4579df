//! Pages of their own: one file, nothing from elsewhere, light and dark.

use std::fmt::Write as _;

use crate::plot::{STYLE, escape};

const PAGE_STYLE: &str = include_str!("page.css");

/// The beginning of a page, up to its heading.
pub fn begin(title: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{PAGE_STYLE}{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    )
}

/// Its end.
pub const END: &str = "</body></html>\n";

/// Text in which what stands between backticks is code.
pub(super) fn words(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd one has no end, and is a backtick.
    let is_paired = parts.len() % 2 == 1;
    let mut html = String::new();
    for (index, part) in parts.iter().enumerate() {
        let _ = match index % 2 {
            1 if is_paired => write!(html, "<code>{}</code>", escape(part)),
            1 => write!(html, "`{}", escape(part)),
            _ if is_paired || index == 0 => write!(html, "{}", escape(part)),
            _ => write!(html, "`{}", escape(part)),
        };
    }
    html
}

/// A table; without rows it says so.
pub fn table(html: &mut String, title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let _ = writeln!(html, "<h2>{title}</h2>\n<div class=\"card wide\">");
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        html.push_str("None.</div>\n");
        return;
    }
    // On a phone, rows of more than two cells are read from above to below, each cell with its head in front.
    let class = if heads.len() > 2 { " class=\"stacks\"" } else { "" };
    let _ = write!(html, "<table{class}><tr>");
    for head in heads {
        let _ = write!(html, "<th>{head}</th>");
    }
    html.push_str("</tr>\n");
    for row in rows {
        html.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let head = heads.get(index).copied().unwrap_or_default();
            let is_number = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let class = if is_number { " class=\"number\"" } else { "" };
            let _ = write!(html, "<td{class} data-head=\"{}\">{}</td>", escape(head), words(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_escapes() {
        assert_eq!(
            words("set `a.b` or `<c>`"),
            "set <code>a.b</code> or <code>&lt;c&gt;</code>"
        );
        assert_eq!(words("a ` b"), "a ` b");
        assert_eq!(words("`a` ` b"), "`a` ` b");
        assert_eq!(words("<b>"), "&lt;b&gt;");
    }

    #[test]
    fn each_cell_knows_its_head() {
        let mut html = String::new();
        let row = ["x", "1", "2"].map(str::to_owned).to_vec();
        table(&mut html, "T", &["name", "flows", "\"p\""], std::iter::once(row));
        assert!(
            html.contains("<td data-head=\"name\">x</td><td class=\"number\" data-head=\"flows\">1</td>"),
            "{html}"
        );
        assert!(
            html.contains("class=\"stacks\"") && html.contains("data-head=\"&quot;p&quot;\""),
            "{html}"
        );
    }
}
