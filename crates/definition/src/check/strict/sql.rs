//! Statements that destroy: `DROP TABLE`, `DROP DATABASE`, `DROP SCHEMA`, `TRUNCATE`.
//!
//! SQL is read by tokens: what stands in texts, in quoted names and in comments is no statement, and `TRUNCATE(1.5, 1)`
//! is a function.

/// The first destroying statement of `sql`, as words.
pub(super) fn destroys(sql: &str) -> Option<String> {
    let words = words(sql);
    let mut begins = true;
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).map(String::as_str).unwrap_or_default();
        match word.as_str() {
            "DROP" if begins && matches!(next, "TABLE" | "DATABASE" | "SCHEMA") => return Some(format!("DROP {next}")),
            "TRUNCATE" if begins && next != "(" && !next.is_empty() => return Some("TRUNCATE".to_owned()),
            _ => {}
        }
        // `EXPLAIN` changes nothing, and after anything else a word is no statement.
        begins = word == ";";
    }
    None
}

/// Words and signs, in capitals, without texts, quoted names and comments.
fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphabetic() || first == '_' {
            let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            words.push(rest[..length].to_uppercase());
            length
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if matches!(first, '\'' | '"' | '`') {
            let length = rest[1..].find(first).map_or(rest.len(), |end| end + 2);
            words.push("?".to_owned());
            length
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_from_what_only_looks_like_one() {
        for (sql, expect) in [
            ("drop table users", Some("DROP TABLE")),
            ("BEGIN; DROP  DATABASE x;", Some("DROP DATABASE")),
            ("truncate users", Some("TRUNCATE")),
            ("TRUNCATE TABLE \"users\"", Some("TRUNCATE")),
            ("/* drop table x */ select 1 -- drop table x", None),
            ("select 'drop table x'", None),
            ("select truncate(1.5, 1)", None),
            ("select '; drop table x'", None),
            ("insert into notes values ('it''s; drop table x')", None),
            ("alter table x drop column y", None),
            ("drop index i", None),
            ("create table drop_table (a)", None),
            ("", None),
        ] {
            assert_eq!(destroys(sql).as_deref(), expect, "{sql}");
        }
    }
}
