use super::*;

fn template(value: Value) -> Template {
    Template::compile(&value, &names()).unwrap()
}

#[test]
fn whole_expressions_are_typed_and_others_are_text() {
    for (given, expected) in [
        (json!("${{ inputs.n }}"), json!(3)),
        (json!("  ${{ inputs.n }}\n"), json!(3)),
        (json!("n=${{ inputs.n }}"), json!("n=3")),
        (json!("${{ inputs.n }}${{ inputs.flag }}"), json!("3true")),
        (json!("${{ inputs.map.a }} "), json!({"b": [10, 20]})),
        (json!("x ${{ inputs.map.a }}"), json!("x {\"b\":[10,20]}")),
        (json!("${{ {'a': {'b': 1}}}}"), json!({"a": {"b": 1}})),
        (json!("${{ '}}' }}"), json!("}}")),
        (json!("}} {{ a }} ${ x } {% if %}"), json!("}} {{ a }} ${ x } {% if %}")),
        (json!("$${{ inputs.n }}"), json!("${{ inputs.n }}")),
        (json!("a $${{ b }} ${{ inputs.n }}"), json!("a ${{ b }} 3")),
        (json!("${{ '$' }}${{ inputs.n }}"), json!("$3")),
        (json!(""), json!("")),
        (
            json!({"k": ["${{ inputs.n }}", {"${{ x }}": "é${{ inputs.name }}"}], "l": [1, null]}),
            json!({"k": [3, {"${{ x }}": "éweb"}], "l": [1, null]}),
        ),
    ] {
        assert_eq!(template(given.clone()).evaluate(&mut world()).unwrap(), expected, "{given}");
    }
}

#[test]
fn texts_stay_texts() {
    let text = |text: &str| Template::compile_text(text, &names()).unwrap().evaluate(&mut world());
    assert_eq!(text("${{ inputs.n }}").unwrap(), json!("3"));
    assert_eq!(text(" ${{ inputs.name }} ").unwrap(), json!(" web "));
    assert_eq!(text("${{ inputs.map.a }}").unwrap(), json!("{\"b\":[10,20]}"));
    assert_eq!(text("${{ true }}").unwrap(), json!("true"));
    let null = text("a ${{ inputs.nothing }}").unwrap_err();
    assert_eq!(
        (null.code, null.message.as_str(), null.offset, null.length),
        ("SKEP-E008", "`inputs.nothing` is null and has no text", 6, 14)
    );
}

#[test]
fn conditions_are_booleans() {
    let condition = |text: &str| Template::compile_condition(text, &names()).unwrap().evaluate(&mut world());
    for text in ["inputs.n > 2", "${{ inputs.n > 2 }}", " ${{ inputs.flag }} ", "'}}' != 'x'", "success()"] {
        assert_eq!(condition(text).unwrap(), json!(true), "{text}");
    }
    for text in ["inputs.n", "inputs.nothing", "inputs.name", "${{ inputs.hosts }}", "'true'"] {
        assert_eq!(condition(text).unwrap_err().code, "SKEP-E010", "{text}");
    }
    assert_eq!(condition("inputs.n").unwrap_err().message, "`inputs.n` is a number (3), not true or false");
    let mixed = Template::compile_condition("${{ inputs.env }} == 'x'", &names()).unwrap_err();
    assert_eq!(mixed[0].code, "SKEP-E010");
    let empty = Template::compile_condition("", &names()).unwrap_err();
    assert_eq!(empty[0].code, "SKEP-E001");
}

#[test]
fn all_problems_come_at_once_with_their_places() {
    let value = json!({"a/b": ["ok", "${{ 1 + }} and ${{ 'x' | nope }}"], "c": "${{ open"});
    let errors = Template::compile(&value, &names()).unwrap_err();
    let found: Vec<(&str, &str, usize)> =
        errors.iter().map(|error| (error.code, error.value_path.as_str(), error.offset)).collect();
    assert_eq!(found, [("SKEP-E001", "/a~1b/1", 8), ("SKEP-E003", "/a~1b/1", 25), ("SKEP-E002", "/c", 0)]);
    let late = template(json!({"x": ["${{ inputs.n }}", "ä ${{ inputs.map.q }}"]})).evaluate(&mut world()).unwrap_err();
    assert_eq!((late.value_path.as_str(), late.offset, late.length), ("/x/1", 18, 1));
}

#[test]
fn every_path_is_asked_once_and_first() {
    let template = template(json!(["${{ inputs.n + inputs.n }}", "${{ inputs.n }}", "${{ false and item.name }}"]));
    let mut world = world();
    template.evaluate(&mut world).unwrap();
    assert_eq!(world.asked, [vec!["inputs", "n"], vec!["item"]]);
    assert_eq!(template.references().len(), 4);
    assert!(!template.is_literal() && !template.is_status_aware());
    assert!(Template::compile(&json!({"a": ["x", 1]}), &names()).unwrap().is_literal());
    assert!(compile("always()").is_status_aware());
}

#[test]
fn a_blob_is_asked_for_at_once() {
    let mut world = World { needs: Some(("hosts", blob())), ..world() };
    let error = compile("inputs.n > 5 and inputs.hosts | length > 0").evaluate(&mut world).unwrap_err();
    assert_eq!((error.needs, error.code), (Some(blob()), "SKEP-E013"));
}

#[test]
fn status_functions_follow_the_flags() {
    for (failed, cancelled, expected) in
        [(false, false, "true,false,false"), (true, false, "false,true,false"), (false, true, "false,false,true")]
    {
        let mut world = World { status: StatusFlags { failed, cancelled }, ..world() };
        let given = compile("success() ~ ',' ~ failure() ~ ',' ~ cancelled()").evaluate(&mut world).unwrap();
        assert_eq!(given, json!(expected));
    }
}

#[test]
fn names_of_a_plan_are_all_that_it_declares() {
    let plan: skep_model::plan::Plan = serde_json::from_value(json!({
        "plan_format": 1, "engine_semantics": 1,
        "workflow": {"id": "w", "name": "w", "description": "", "version": "1.0.0", "category": "", "tags": []},
        "inputs": {"in-put": {"type": "", "required": false, "default": null, "description": "", "label": "", "schema": {}}},
        "vars": {"v-ar": 1}, "env": {"E": ""}, "outputs": {}, "timeout_ms": null, "on_cancel": "finally",
        "root": 0, "finally": null, "blocks": [{"order": "sequence", "steps": [0], "owner": null}],
        "steps": [{"id": "st-ep", "name": "", "block": 0, "kind": {"kind": "uses", "action": "x", "with": {}},
                   "outputs": {"out-put": "1"}, "output_names": ["out-put"]}]
    }))
    .unwrap();
    let template = Template::compile(
        &json!("${{ inputs.in-put ~ vars.v-ar ~ steps.st-ep.outputs.out-put }}"),
        &Names::of_plan(&plan),
    );
    let paths: Vec<String> = template.unwrap().references().iter().map(|found| found.path.join(".")).collect();
    assert_eq!(paths, ["inputs.in-put", "vars.v-ar", "steps.st-ep.outputs.out-put"]);
}
