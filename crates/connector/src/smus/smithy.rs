//! The model of a form type (Smithy IDL 2.0): only the names and types of the members of its structure are taken out of it. Traits,
//! documentation and default values are passed over.

/// A member of a form type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormMember {
    pub(crate) name: String,
    /// The target's name without its namespace (`String`, `Integer`, the name of a list or structure).
    pub(crate) member_type: String,
}

/// The most members that are taken from one model; the service allows far fewer.
const MEMBERS_MAX: usize = 1_000;

/// The members of the structure that has the form type's own name, or else of the first structure.
pub(crate) fn members(model: &str, type_name: &str) -> Vec<FormMember> {
    let tokens = tokens(model);
    let own = type_name.rsplit('.').next().unwrap_or(type_name);
    let structures: Vec<usize> = (0..tokens.len()).filter(|at| is_structure(&tokens, *at)).collect();
    let named = structures.iter().find(|at| tokens.get(*at + 1) == Some(&Token::Word(own)));
    named.or(structures.first()).map(|at| structure_members(&tokens[at + 2..])).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// An identifier, with namespace and member (`smithy.api#String`), or a number.
    Word(&'a str),
    Text,
    Sign(char),
}

fn is_structure(tokens: &[Token<'_>], at: usize) -> bool {
    tokens[at] == Token::Word("structure")
        && matches!(tokens.get(at + 1), Some(Token::Word(_)))
        && (at == 0 || tokens[at - 1] != Token::Sign('@'))
}

fn tokens(model: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = model;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if first == '"' {
            rest = after_text(rest);
            tokens.push(Token::Text);
        } else if is_word(first) {
            let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            tokens.push(Token::Word(&rest[..end]));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() && first != ',' {
                tokens.push(Token::Sign(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '#' | '$' | '-')
}

/// What follows a quoted text or a text block in three quotes.
fn after_text(text: &str) -> &str {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        return block.split_once("\"\"\"").map_or("", |(_, after)| after);
    }
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

/// The members from the opening brace (perhaps after `with [...]`) to its closing one.
fn structure_members(tokens: &[Token<'_>]) -> Vec<FormMember> {
    let Some(open) = tokens.iter().position(|token| *token == Token::Sign('{')) else { return Vec::new() };
    let mut members = Vec::new();
    let mut at = open + 1;
    while at < tokens.len() && members.len() < MEMBERS_MAX {
        match (tokens[at], tokens.get(at + 1), tokens.get(at + 2)) {
            (Token::Sign('}'), _, _) => break,
            (Token::Sign('@'), _, _) => at = after_trait(tokens, at),
            (Token::Word(name), Some(Token::Sign(':')), Some(Token::Word(target))) => {
                let member_type = target.rsplit(['#', '.']).next().unwrap_or(target);
                members.push(FormMember { name: name.to_owned(), member_type: member_type.to_owned() });
                at += 3;
            }
            _ => at += 1,
        }
    }
    members
}

/// Passes over a trait with its value in parentheses.
fn after_trait(tokens: &[Token<'_>], at: usize) -> usize {
    let after_name = at + 2;
    if tokens.get(after_name) != Some(&Token::Sign('(')) {
        return after_name;
    }
    let mut depth = 0_usize;
    for (offset, token) in tokens[after_name..].iter().enumerate() {
        match token {
            Token::Sign('(' | '{' | '[') => depth += 1,
            Token::Sign(')' | '}' | ']') => depth = depth.saturating_sub(1),
            Token::Sign(_) | Token::Word(_) | Token::Text => {}
        }
        if depth == 0 {
            return after_name + offset + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(model: &str, type_name: &str) -> Vec<String> {
        members(model, type_name).into_iter().map(|member| format!("{}:{}", member.name, member.member_type)).collect()
    }

    #[test]
    fn members_come_with_their_types_and_without_what_traits_and_defaults_say() {
        let model = r#"
            $version: "2.0"
            namespace amazon.datazone
            // structure Comment { no: String }
            list Tags { member: String }
            @documentation("structure Fake { secret: String }")
            structure DataOwner {
                @required
                @amazon.datazone#searchable
                ownerName: String
                @amazon.datazone#displayname(defaultName: "CANARY: (x")
                costCentre: smithy.api#Integer = 7,
                tags: Tags,
                @range(min: 1, max: [2, {a: 3}])
                share: Float
                note: String = "CANARY"
            }
        "#;
        let expected = ["ownerName:String", "costCentre:Integer", "tags:Tags", "share:Float", "note:String"];
        assert_eq!(names(model, "DataOwner"), expected);
        assert_eq!(names(model, "amazon.datazone.DataOwner"), expected);
    }

    #[test]
    fn one_line_models_and_other_names_are_read_and_broken_ones_give_what_they_have() {
        assert_eq!(names("structure F { a: String, b: Integer }", "Other"), ["a:String", "b:Integer"]);
        assert_eq!(names("structure A { x: Long } structure B { y: Date }", "B"), ["y:Date"]);
        assert_eq!(names("structure F { a: String, b: ", "F"), ["a:String"]);
        assert_eq!(names("structure F { @t(((( a: String }", "F"), Vec::<String>::new());
        for model in ["", "structure", "structure F", "{}", "\"unclosed", "\"\"\"unclosed"] {
            assert_eq!(names(model, "F"), Vec::<String>::new(), "{model}");
        }
    }
}
