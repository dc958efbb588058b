//! Table tests over spellings seen in catalogs, then generated types, depth, length and damage.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{COLUMN_LEVEL_MAX, Field, TYPE_BYTES_MAX, TypeErrorKind, parse};

mod generated;

/// `struct{a:int b:struct{c:string}}`: the base type, and per field its name, base type and fields.
fn outline(raw: &str) -> String {
    let mut fields = Vec::new();
    let parsed = parse(raw, &mut fields);
    if let Some(error) = parsed.error {
        assert!(fields.is_empty(), "an error leaves no fields: {raw}");
        return format!("{:?}@{}", error.kind, error.position);
    }
    check_links(parsed.children, &fields);
    let mut text = parsed.data_type.into_owned();
    write_children(&mut text, &fields, None);
    text
}

fn write_children(text: &mut String, fields: &[Field<'_>], parent: Option<u32>) {
    let children: Vec<_> = fields.iter().enumerate().filter(|(_, field)| field.parent == parent).collect();
    if children.is_empty() {
        return;
    }
    text.push('{');
    for (place, (index, field)) in children.iter().enumerate() {
        let space = if place == 0 { "" } else { " " };
        let mark = if field.duplicate { "!" } else { "" };
        write!(text, "{space}{mark}{}:{}", field.name, field.type_name).unwrap();
        write_children(text, fields, Some(u32::try_from(*index).unwrap()));
    }
    text.push('}');
}

fn check_links(top: u32, fields: &[Field<'_>]) {
    let mut counts = vec![0; fields.len()];
    let mut top_seen = 0;
    for (index, field) in fields.iter().enumerate() {
        let order = match field.parent {
            None => {
                assert_eq!(field.depth, 2);
                top_seen += 1;
                top_seen
            }
            Some(parent) => {
                let parent = parent as usize;
                assert!(parent < index, "a parent comes first");
                assert_eq!(field.depth, fields[parent].depth + 1);
                counts[parent] += 1;
                counts[parent]
            }
        };
        assert_eq!(field.order, order);
        assert!(field.depth <= COLUMN_LEVEL_MAX);
        assert!(!field.raw_type.is_empty());
    }
    assert_eq!(top, top_seen);
    let declared: Vec<u32> = fields.iter().map(|field| field.children).collect();
    assert_eq!(declared, counts);
}

fn check(cases: &[(&str, &str)]) {
    for (raw, expected) in cases {
        assert_eq!(outline(raw), *expected, "type {raw:?}");
    }
}

#[test]
fn primitives_are_spelled_in_lower_case_with_their_arguments() {
    check(&[
        ("string", "string"),
        ("bigint", "bigint"),
        ("  int\t", "int"),
        ("INT", "int"),
        ("decimal(10,2)", "decimal(10,2)"),
        ("decimal", "decimal"),
        ("DECIMAL( 10 , 2 )", "decimal(10,2)"),
        ("decimal (10,2)", "decimal(10,2)"),
        ("char(1)", "char(1)"),
        ("varchar(20)", "varchar(20)"),
        ("varchar(max)", "varchar(max)"),
        ("timestamp with local time zone", "timestamp with local time zone"),
        ("TIMESTAMP  WITH\nTIME ZONE", "timestamp with time zone"),
        ("timestamp(3) with time zone", "timestamp(3) with time zone"),
        ("double precision", "double precision"),
        ("interval_year_month", "interval_year_month"),
        ("timestamp_ntz", "timestamp_ntz"),
        ("fixed(16)", "fixed(16)"),
        ("uuid", "uuid"),
        ("super", "super"),
        ("geometry(Point,4326)", "geometry(point,4326)"),
        ("hllsketch", "hllsketch"),
        ("void", "void"),
        ("enum('A, B','>')", "enum('A, B','>')"),
        ("integer[]", "integer[]"),
        ("typ\u{e9}", "typ\u{e9}"),
        ("bigint not null", "bigint"),
        ("array", "array"),
    ]);
}

#[test]
fn primitives_in_their_kept_spelling_are_borrowed() {
    for raw in ["string", "decimal(10,2)", "timestamp with local time zone", " bigint "] {
        let parsed = parse(raw, &mut Vec::new());
        assert!(matches!(parsed.data_type, Cow::Borrowed(_)), "{raw}");
    }
}

#[test]
fn fields_of_structs_are_children_through_arrays_and_map_values() {
    check(&[
        ("struct<a:int>", "struct{a:int}"),
        ("STRUCT<Name:STRING,b:Decimal(3,1)>", "struct{Name:string b:decimal(3,1)}"),
        ("struct<a:int,b:struct<c:string,d:array<int>>,e:date>", "struct{a:int b:struct{c:string d:array} e:date}"),
        ("array<string>", "array"),
        ("ARRAY<STRING>", "array"),
        ("list<struct<a:int>>", "list{a:int}"),
        ("array<struct<sku:string>>", "array{sku:string}"),
        ("array<array<map<string,struct<a:int>>>>", "array{a:int}"),
        ("map<string,int>", "map"),
        ("map<string,struct<a:int>>", "map{a:int}"),
        ("map<struct<k:int>,string>", "map"),
        ("map<struct<k:int>,struct<v:struct<w:int>>>", "map{v:struct{w:int}}"),
        ("map<array<struct<k:struct<l:int>>>,array<struct<v:int>>>", "map{v:int}"),
        ("uniontype<int,struct<a:int>>", "uniontype"),
        ("struct<u:uniontype<int,struct<a:int>>,b:int>", "struct{u:uniontype b:int}"),
        ("struct<>", "struct"),
        ("struct< >", "struct"),
        ("struct<a:struct<>,b:int>", "struct{a:struct b:int}"),
        ("array<null>", "array"),
        ("range<date>", "range"),
    ]);
}

#[test]
fn trino_rows_and_round_brackets_are_structs() {
    check(&[
        ("row(a bigint, b varchar)", "row{a:bigint b:varchar}"),
        ("ROW(a decimal(10,2), b timestamp(3) with time zone)", "row{a:decimal(10,2) b:timestamp(3) with time zone}"),
        ("array(row(sku varchar(20)))", "array{sku:varchar(20)}"),
        ("map(varchar, row(a bigint, b row(c double)))", "map{a:bigint b:row{c:double}}"),
        ("row(\"odd, name\" bigint, \"q\"\"q\" array(row(x date)))", "row{odd, name:bigint q\"q:array{x:date}}"),
        ("row(bigint, row(varchar))", "row{field0:bigint field1:row{field0:varchar}}"),
        ("row(a:bigint)", "row{a:bigint}"),
        ("struct<a int, b array<string>>", "struct{a:int b:array}"),
        ("row()", "row"),
    ]);
}

#[test]
fn spaces_odd_names_quotes_and_suffixes_are_tolerated() {
    check(&[
        (" struct < a : int ,\n\tb : string > ", "struct{a:int b:string}"),
        ("struct<a b:int,c-d:string,$e:date,f.g:int,h(i):int>", "struct{a b:int c-d:string $e:date f.g:int h(i):int}"),
        ("struct<`a:b,<c>`:int,\"d:e\":string,`x``y`:date>", "struct{a:b,<c>:int d:e:string x`y:date}"),
        ("struct<a:b:int,c:d:e:array<string>>", "struct{a:b:int c:d:e:array}"),
        ("struct<a:int comment 'text with , > and \\' quotes',b:string>", "struct{a:int b:string}"),
        ("struct<a:int COMMENT \"it's: <x>\",b:struct<c:int> comment 'd''e'>", "struct{a:int b:struct{c:int}}"),
        ("struct<a:int not null,b:string NOT NULL comment 'c'>", "struct{a:int b:string}"),
        ("struct<a:timestamp with local time zone not null>", "struct{a:timestamp with local time zone}"),
        ("struct<\u{e9}t\u{e9}:int,\u{65e5}\u{672c}:string>", "struct{\u{e9}t\u{e9}:int \u{65e5}\u{672c}:string}"),
        ("struct<struct:struct<array:array<int>>,comment:string>", "struct{struct:struct{array:array} comment:string}"),
        ("array<int > comment 'x'", "array"),
    ]);
}

#[test]
fn raw_types_are_slices_of_the_text_without_suffixes() {
    let raw = "struct<a: Array< struct<x:INT comment 'c'> > not null, b :decimal( 5,1 ) , c:int>";
    let mut fields = Vec::new();
    assert_eq!(parse(raw, &mut fields).error, None);
    let raw_types: Vec<_> = fields.iter().map(|field| field.raw_type).collect();
    assert_eq!(raw_types, ["Array< struct<x:INT comment 'c'> >", "INT", "decimal( 5,1 )", "int"]);
    let parents: Vec<_> = fields.iter().map(|field| field.parent).collect();
    assert_eq!(parents, [None, Some(0), None, None]);
}

#[test]
fn damaged_types_are_errors_with_a_position() {
    check(&[
        ("", "Absent@0"),
        ("  \n", "Absent@3"),
        ("null", "Absent@0"),
        (" NULL ", "Absent@1"),
        ("struct<", "UnexpectedEnd@7"),
        ("struct<a", "UnexpectedEnd@8"),
        ("struct<a:", "UnexpectedEnd@9"),
        ("struct<a:int", "UnexpectedEnd@12"),
        ("struct<a:int,", "UnexpectedEnd@13"),
        ("map<string", "UnexpectedEnd@10"),
        ("array<decimal(10,", "UnexpectedEnd@17"),
        ("struct<`a:int>", "UnclosedQuote@7"),
        ("struct<a:int comment 'x>", "UnclosedQuote@21"),
        ("int>", "ExtraClosing@3"),
        ("array<int>>", "ExtraClosing@10"),
        ("array<int))", "CommaOrCloseExpected@9"),
        (">", "ExtraClosing@0"),
        ("int,string", "TrailingText@3"),
        ("array<int> x", "TrailingText@11"),
        (" string garbage", "TrailingText@8"),
        ("array<>", "TypeExpected@6"),
        ("struct<a:>", "TypeExpected@9"),
        ("struct<:int>", "NameExpected@7"),
        ("struct<a:int,>", "NameExpected@13"),
        ("struct<``:int>", "NameExpected@7"),
        ("struct<int>", "ColonExpected@10"),
        ("map<string>", "MapArity@10"),
        ("map<a,b,c>", "MapArity@7"),
        ("array<a,b>", "CommaOrCloseExpected@7"),
        ("row(a:b>", "CommaOrCloseExpected@7"),
        ("struct<`a`:b:int>", "CommaOrCloseExpected@12"),
        ("int;", "TrailingText@3"),
        ("{}", "TypeExpected@0"),
    ]);
}

#[test]
fn an_error_keeps_the_leading_word_and_says_nothing_of_the_text() {
    let mut fields = Vec::new();
    let parsed = parse("STRUCT<a:int,b:secret;", &mut fields);
    assert_eq!(parsed.data_type, "struct");
    let message = parsed.error.unwrap().to_string();
    assert_eq!(
        message,
        "column type not parsed at byte 21: a comma or the closing bracket is expected here; the raw type is kept as text"
    );
}

#[test]
fn duplicate_siblings_are_kept_and_marked() {
    check(&[
        ("struct<a:int,A:string,b:struct<a:int>>", "struct{a:int !A:string b:struct{a:int}}"),
        ("struct<x:struct<a:int,b:int>,X:int>", "struct{x:struct{a:int b:int} !X:int}"),
        ("struct<\u{c9}:int,\u{e9}:int>", "struct{\u{c9}:int !\u{e9}:int}"),
        ("struct<abc:int,acc:int,a:c:int,a:c:int>", "struct{abc:int acc:int a:c:int !a:c:int}"),
    ]);
    let mut fields = Vec::new();
    assert!(parse("struct<a:int,A:int>", &mut fields).duplicate_field);
    assert!(!parse("struct<a:int,b:struct<a:int>>", &mut fields).duplicate_field);
}

#[test]
fn a_duplicate_far_from_its_twin_is_found_in_a_wide_struct() {
    let mut raw = String::from("struct<");
    for number in 0..5_000 {
        write!(raw, "field_{number}:int,").unwrap();
    }
    raw.push_str("FIELD_7:int>");
    let mut fields = Vec::new();
    assert!(parse(&raw, &mut fields).duplicate_field);
    let marked: Vec<_> = fields.iter().filter(|field| field.duplicate).map(|field| field.order).collect();
    assert_eq!(marked, [5_001]);
}

#[test]
fn level_fifteen_is_the_deepest_and_the_cut_is_reported() {
    let nested = |levels: usize| format!("{}int{}", "struct<f:".repeat(levels), ">".repeat(levels));
    let mut fields = Vec::new();
    let deepest = nested(14);
    let cut = parse(&deepest, &mut fields).depth_cut;
    assert_eq!((cut, fields.len(), fields[13].depth), (false, 14, 15));
    let deeper = nested(15);
    let mut fields = Vec::new();
    assert!(parse(&deeper, &mut fields).depth_cut);
    assert_eq!((fields.len(), fields[13].depth, fields[13].children), (14, 15, 0));
    assert_eq!(fields[13].raw_type, "struct<f:int>");
    assert_eq!(fields[13].type_name, "struct");
}

#[test]
fn depth_beyond_any_stack_is_parsed() {
    for depth in [40, 5_000, 40_000] {
        let structs = format!("{}int{}", "struct<f:".repeat(depth), ">".repeat(depth));
        let mut fields = Vec::new();
        let parsed = parse(&structs, &mut fields);
        assert_eq!((parsed.error, parsed.depth_cut, fields.len()), (None, true, 14), "{depth}");
        let arrays = format!("{}int{}", "array<".repeat(depth), ">".repeat(depth));
        assert_eq!(outline(&arrays), "array");
        let open = "map<int,".repeat(depth);
        assert!(outline(&open).starts_with("UnexpectedEnd"), "{depth}");
        let nested_arguments = format!("a{}{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(outline(&nested_arguments), nested_arguments);
    }
}

#[test]
fn the_longest_type_of_glue_is_parsed_and_longer_ones_are_refused() {
    let mut raw = String::from("struct<");
    let mut count = 0;
    while raw.len() < 131_072 - 30 {
        write!(raw, "column_{count}:decimal(10,2),").unwrap();
        count += 1;
    }
    raw.push_str(&format!("{}:int>", "z".repeat(131_072 - raw.len() - 5)));
    assert_eq!(raw.chars().count(), 131_072);
    let mut fields = Vec::new();
    let parsed = parse(&raw, &mut fields);
    assert_eq!((parsed.error, parsed.children), (None, count + 1));

    let long = "a".repeat(TYPE_BYTES_MAX) + "(1)x";
    assert_eq!(parse(&long, &mut Vec::new()).error.unwrap().kind, TypeErrorKind::TooLong);
    let many = format!("uniontype<{}a>", "a,".repeat(100_000));
    assert_eq!(parse(&many, &mut Vec::new()).error.unwrap().kind, TypeErrorKind::TooManyNodes);
}

#[test]
fn a_buffer_is_emptied_before_each_type() {
    let mut fields = Vec::new();
    parse("struct<a:int>", &mut fields);
    parse("string", &mut fields);
    assert!(fields.is_empty());
    parse("struct<b:int>", &mut fields);
    assert_eq!(fields.len(), 1);
}
