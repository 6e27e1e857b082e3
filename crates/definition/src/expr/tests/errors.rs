use super::*;

/// The message of the first problem begins so.
fn fails(text: &str, expected: &str) {
    let shown = failure(text);
    assert!(shown.starts_with(expected), "{text}\n gave {shown}\n not {expected}");
}

#[test]
fn nothing_is_silently_undefined() {
    for (text, expected) in [
        ("inputs.map.nope", "SKEP-E007 at `nope`: `inputs.map` has no key `nope`"),
        ("inputs.map.nope == 1", "SKEP-E007 at `nope`"),
        ("inputs.map.nope and true", "SKEP-E007 at `nope`"),
        ("not inputs.map.nope", "SKEP-E007 at `nope`"),
        ("inputs.map['nope']", "SKEP-E007 at `'nope'`"),
        ("inputs.map[inputs.name]", "SKEP-E007 at `inputs.map[inputs.name]`: `inputs.map` has no key `web`"),
        ("inputs.map.nope | length", "SKEP-E007 at `nope`"),
        ("inputs.map.nope is none", "SKEP-E007 at `nope`"),
        ("[inputs.map.nope]", "SKEP-E007 at `nope`"),
        ("inputs.map.a.c", "SKEP-E007 at `c`: `inputs.map.a` has no key `c`"),
        ("inputs.map['a'].c", "SKEP-E007 at `c`: `inputs.map['a']` has no key `c`"),
        ("inputs.hosts[99]", "SKEP-E007 at `99`: `inputs.hosts` has no position 99: it has 3 entries"),
        ("inputs.hosts[-4]", "SKEP-E007 at `-4`"),
        ("inputs.hosts.name", "SKEP-E009 at `name`: `inputs.hosts` is a list of 3 and has no `name`"),
        ("inputs.name.x", "SKEP-E009 at `x`: `inputs.name` is a text (\"web\") and has no `x`"),
        ("inputs.nothing.x", "SKEP-E008 at `x`: `inputs.nothing` is null and has no `x`"),
        ("inputs.nothing.x == 1", "SKEP-E008 at `x`: `inputs.nothing` is null"),
        ("steps.build.error.kind == 'exit'", "SKEP-E008 at `kind`: `steps.build.error` is null"),
        ("inputs.nothing[0:1]", "SKEP-E009"),
        ("(inputs.map).nope", "SKEP-E007 at `nope`: `(inputs.map)` has no key `nope`"),
        ("inputs.hosts[0].x", "SKEP-E009 at `x`: `inputs.hosts[0]` is a text"),
        ("inputs.rows | map('idd')", "SKEP-E007 at `inputs.rows | map('idd')`"),
        ("false and nope.x", "SKEP-E006 at `nope`: there is no `nope`"),
        ("true or inputs.nope", "SKEP-E006 at `inputs.nope`: there is no `inputs.nope`"),
        ("[] | first", "SKEP-E007"),
        ("'' ~ inputs.nothing", "SKEP-E008 at `'' ~ inputs.nothing`: `inputs.nothing` is null and has no text"),
    ] {
        fails(text, expected);
    }
}

#[test]
fn values_of_the_wrong_kind_are_named() {
    for (text, expected) in [
        ("inputs.text > 2", "SKEP-E009 at `inputs.text > 2`: `>` cannot order a text and a number"),
        ("inputs.text + 1", "SKEP-E009 at `inputs.text + 1`: `+` does not fit a text (\"3\") and a number (1)"),
        ("'a' * 3", "SKEP-E009"),
        ("[1] * 3", "SKEP-E009"),
        ("1 in 2", "SKEP-E009"),
        ("1 in 'a'", "SKEP-E009"),
        ("-'a'", "SKEP-E009"),
        ("[1, 'a'] | sort", "SKEP-E009"),
        ("'x' | int", "SKEP-E009 at `'x' | int`: `int` cannot make a whole number of a text (\"x\")"),
        ("1 // 0", "SKEP-E011"),
        ("1 % 0", "SKEP-E011"),
        ("1 / 0", "SKEP-E011"),
        ("18446744073709551615 * 18446744073709551615", "SKEP-E011"),
        ("18446744073709551615 + 1", "SKEP-E011"),
        ("1e308 * 10", "SKEP-E011"),
        ("1e308 | int", "SKEP-E011"),
        ("'{' | fromjson", "SKEP-E009"),
        ("{1: 2}", "SKEP-E009"),
        ("inputs.rows | selectattr('id', 'like', 1)", "SKEP-E004"),
    ] {
        fails(text, expected);
    }
}

#[test]
fn grammar_mistakes_show_the_way() {
    for (text, expected) in [
        ("", "SKEP-E001 at ``: the expression is empty"),
        ("a && b", "SKEP-E001 at `&&`: `&&` is not an operator\n  hint: write `and`"),
        ("a || b", "SKEP-E001 at `||`: `||` is not an operator\n  hint: write `or`"),
        ("!a", "SKEP-E001 at `!`: `!` is not an operator\n  hint: write `not`"),
        ("a = 1", "SKEP-E001 at `=`: `=` is not expected here\n  hint: a comparison is written `==`"),
        ("1 if true", "SKEP-E001 at ``: an `if` has no `else`"),
        ("a < b < c", "SKEP-E001 at `<`: comparisons do not follow each other"),
        ("steps.0", "SKEP-E001"),
        ("(1", "SKEP-E001 at ``: the expression ends where `)` is missing"),
        ("[1 2]", "SKEP-E001 at `2`: a number stands where `,` is missing between entries"),
        ("{a: 1}", "SKEP-E001 at `a`: a key is a text in quotes\n  hint: write `'a': ..`"),
        ("'abc", "SKEP-E001 at `'`: this text is never closed"),
        ("a b", "SKEP-E001 at `b`: `b` is not expected here"),
        ("2 ** 3", "SKEP-E001 at `**`"),
        ("inputs.größe", "SKEP-E001 at `ö`"),
        ("inputs.n is defined", "SKEP-E001 at `inputs.n`"),
        ("x | uper", "SKEP-E003 at `uper`: there is no filter `uper`\n  hint: did you mean `upper`?"),
        (
            "length(x)",
            "SKEP-E003 at `length`: there is no function `length`\n  hint: `length` is used so: `value | length`",
        ),
        ("x.lenght()", "SKEP-E003 at `lenght`"),
        ("sucess()", "SKEP-E003"),
        ("success(1)", "SKEP-E001"),
        ("x | replace('a')", "SKEP-E004 at `x | replace('a')`: `replace` wants a value for `new`"),
        ("x | upper(1)", "SKEP-E004 at `1`: `upper` does not take this argument"),
        ("x | join(',', sep=1)", "SKEP-E004"),
        ("x is nothing", "SKEP-E003"),
        ("99999999999999999999", "SKEP-E001"),
        ("'\\q'", "SKEP-E001"),
        ("in", "SKEP-E001"),
        ("{% if a %}", "SKEP-E001"),
        ("a ** b", "SKEP-E001"),
    ] {
        fails(text, expected);
    }
}

#[test]
fn hints_read_well() {
    insta::assert_snapshot!(
        ["inputs.map.zz", "inputs.nothing.x", "inputs.hosts.name", "inputs.a > 'x'", "steps.build.outputs.json.imge"]
            .map(failure)
            .join("\n"),
        @r"
    SKEP-E007 at `zz`: `inputs.map` has no key `zz`
      hint: did you mean `z`?; if it may be missing: `.get('zz', ..)`
    SKEP-E008 at `x`: `inputs.nothing` is null and has no `x`
      hint: outputs of a skipped step are null; ask first with `is none`, or give `| default(..)`
    SKEP-E009 at `name`: `inputs.hosts` is a list of 3 and has no `name`
      hint: a list is read by position, `[0]`, or with `| map('name')`
    SKEP-E009 at `inputs.a > 'x'`: `>` cannot order a number and a text
      hint: compare two numbers or two texts; `| int` makes a number of a text
    SKEP-E007 at `imge`: `steps.build.outputs.json` has no key `imge`
      hint: did you mean `image`?; if it may be missing: `.get('imge', ..)`
    "
    );
}

#[test]
fn every_code_has_a_page() {
    for code in super::super::codes::ALL {
        assert!(code.id.starts_with("SKEP-E") && code.page.len() > 100 && !code.title.is_empty(), "{}", code.id);
    }
    let mut ids: Vec<&str> = super::super::codes::ALL.iter().map(|code| code.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 13);
}
