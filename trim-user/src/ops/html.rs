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

/// A table; without rows it says so.
pub fn table(html: &mut String, title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let _ = writeln!(html, "<h2>{title}</h2>\n<div class=\"card wide\">");
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        html.push_str("None.</div>\n");
        return;
    }
    html.push_str("<table><tr>");
    for head in heads {
        let _ = write!(html, "<th>{head}</th>");
    }
    html.push_str("</tr>\n");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            let is_number = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let class = if is_number { " class=\"number\"" } else { "" };
            let _ = write!(html, "<td{class}>{}</td>", escape(&cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div>\n");
}
