//! Queries and what they read.

use super::super::SqlDialect::{self, Hive, Trino};
use super::super::{TableName, ViewLineage, ViewSqlError, lineage};
use super::view;

fn dotted(table: &TableName) -> String {
    let parts = [table.catalog.as_deref(), table.schema.as_deref(), Some(table.name.as_str())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(".")
}

/// `t, s.u | a <- t.x s.u.y, b <- t.z`.
fn outline(lineage: &ViewLineage) -> String {
    let tables: Vec<_> = lineage.tables.iter().map(dotted).collect();
    let column = |column: &super::super::ColumnLineage| {
        let inputs: Vec<_> = column.inputs.iter().map(|(table, name)| format!("{}.{name}", dotted(table))).collect();
        format!("{} <- {}", column.output, inputs.join(" "))
    };
    let columns: Vec<_> = lineage.columns.iter().map(column).collect();
    format!("{} | {}", tables.join(", "), columns.join(", ")).trim().to_owned()
}

fn check(cases: &[(SqlDialect, &str, &str)]) {
    let mut wrong = Vec::new();
    for (dialect, sql, expected) in cases {
        let found = match lineage(&view(*dialect, sql, &[])) {
            Ok(lineage) => outline(&lineage),
            Err(error) => format!("{error:?}"),
        };
        if found != *expected {
            wrong.push(format!("{sql}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_aliases_and_qualifiers_are_resolved() {
    check(&[
        (Trino, "SELECT id FROM orders", "orders | id <- orders.id"),
        (Trino, "SELECT o.amount AS total FROM sales.orders o", "sales.orders | total <- sales.orders.amount"),
        (Trino, "SELECT Orders.ID FROM Sales.Orders", "sales.orders | id <- sales.orders.id"),
        (Trino, "SELECT sales.orders.id x FROM sales.orders", "sales.orders | x <- sales.orders.id"),
        (
            Trino,
            "SELECT \"id\" FROM \"awsdatacatalog\".\"Sales\".\"my orders\"",
            "awsdatacatalog.sales.my orders | id <- awsdatacatalog.sales.my orders.id",
        ),
        (Hive, "SELECT `orders`.`id` AS `k` FROM `sales`.`orders`", "sales.orders | k <- sales.orders.id"),
        (
            Hive,
            "SELECT o.id FROM spark_catalog.sales.orders AS o",
            "spark_catalog.sales.orders | id <- spark_catalog.sales.orders.id",
        ),
        (Hive, "SELECT id FROM db.2020_sales", "db.2020_sales | id <- db.2020_sales.id"),
        (Trino, "SELECT o.customer.name AS n FROM orders o", "orders | n <- orders.customer"),
        (Trino, "SELECT customer.name AS n FROM orders", "orders | n <- orders.customer"),
        (Trino, "SELECT o.items[1].sku AS s, m['k'] AS m FROM orders o", "orders | s <- orders.items, m <- orders.m"),
        (Trino, "SELECT 1 AS one, 'x' AS x, current_date AS d, count(*) AS n FROM t", "t |"),
    ]);
}

#[test]
fn expressions_use_all_their_columns() {
    check(&[
        (Trino, "SELECT a + b * c AS x FROM t", "t | x <- t.a t.b t.c"),
        (Trino, "SELECT CAST(a AS decimal(10,2)) AS x, TRY_CAST(b AS bigint) AS y FROM t", "t | x <- t.a, y <- t.b"),
        (Trino, "SELECT CASE WHEN a > 1 THEN b ELSE upper(c) END AS x FROM t", "t | x <- t.a t.b t.c"),
        (Trino, "SELECT sum(a) FILTER (WHERE b = 1) AS x FROM t GROUP BY c", "t | x <- t.a t.b"),
        (
            Trino,
            "SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC) AS x, lag(c) OVER (ORDER BY d) AS y FROM t",
            "t | x <- t.a t.b, y <- t.c t.d",
        ),
        (Trino, "SELECT transform(items, x -> x + n) AS y FROM t", "t | y <- t.items t.n"),
        (Trino, "SELECT reduce(items, 0, (s, x) -> s + x, s -> s) AS y FROM t", "t | y <- t.items"),
        (
            Trino,
            "SELECT date_trunc('day', a) AS x, extract(year FROM b) AS y, a AT TIME ZONE 'UTC' AS z FROM t",
            "t | x <- t.a, y <- t.b, z <- t.a",
        ),
        (Hive, "SELECT datediff(DAY, a, b) AS x FROM t", "t | x <- t.a t.b"),
        (Hive, "SELECT named_struct('a', a, \"b\", b) AS x, `c` div 2 AS y FROM t", "t | x <- t.a t.b, y <- t.c"),
        (Trino, "SELECT CAST(ROW(a, b) AS row(x bigint, y varchar)) AS r FROM t", "t | r <- t.a t.b"),
        (
            Trino,
            "SELECT CAST(a AS array(varchar)) AS x, CAST(b AS map ( varchar, array(row(c bigint, d decimal(1,0))) )) AS y FROM t",
            "t | x <- t.a, y <- t.b",
        ),
        (Trino, "SELECT a IN (SELECT k FROM u) AS x FROM t", "u, t | x <- t.a u.k"),
        (Trino, "SELECT coalesce(a, (SELECT max(u.b) FROM u WHERE u.k = t.k)) AS x FROM t", "u, t | x <- t.a u.b"),
        (Hive, r"SELECT concat(a, 'it\'s', b) AS x FROM t", "t | x <- t.a t.b"),
    ]);
}

#[test]
fn joins_give_what_is_qualified_and_leave_out_what_is_not() {
    check(&[
        (
            Trino,
            "SELECT o.id, c.name AS customer FROM orders o JOIN crm.customers c ON o.cid = c.id WHERE o.x > 1",
            "orders, crm.customers | id <- orders.id, customer <- crm.customers.name",
        ),
        (Trino, "SELECT id, o.a FROM orders o LEFT JOIN customers c ON o.cid = c.id", "orders, customers | a <- orders.a"),
        (Trino, "SELECT a.id AS x, b.id AS y FROM emp a JOIN emp b ON a.boss = b.id", "emp | x <- emp.id, y <- emp.id"),
        (
            Trino,
            "SELECT o.id FROM orders o, customers c, (items i CROSS JOIN parts p)",
            "orders, customers, items, parts | id <- orders.id",
        ),
        (Trino, "SELECT * FROM a JOIN b USING (id)", "a, b |"),
        (Trino, "SELECT a.*, b.x FROM a JOIN b ON a.i = b.i", "a, b | x <- b.x"),
        (Trino, "SELECT s.k FROM (SELECT id AS k FROM a) s JOIN (SELECT id AS k FROM b) u ON s.k = u.k", "a, b | k <- a.id"),
        (Trino, "SELECT k, v FROM (SELECT id AS k FROM a) s CROSS JOIN b", "a, b | k <- a.id, v <- b.v"),
        (
            Trino,
            "SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM refunds r WHERE r.oid = o.id) AND x IN (SELECT y FROM z)",
            "orders, refunds, z | id <- orders.id",
        ),
    ]);
}

#[test]
fn subqueries_and_common_tables_are_followed() {
    check(&[
        (Trino, "SELECT k FROM (SELECT a + b AS k FROM t) s", "t | k <- t.a t.b"),
        (Trino, "SELECT * FROM (SELECT a, b AS c FROM t) s", "t | a <- t.a, c <- t.b"),
        (Trino, "SELECT x FROM (SELECT * FROM t) s", "t | x <- t.x"),
        (Trino, "WITH x AS (SELECT a FROM t) SELECT a AS b FROM x", "t | b <- t.a"),
        (Trino, "WITH x (p, q) AS (SELECT a, b FROM t) SELECT q, p FROM x", "t | q <- t.b, p <- t.a"),
        (Trino, "WITH orders AS (SELECT id FROM orders) SELECT id FROM orders", "orders | id <- orders.id"),
        (Trino, "WITH x AS (SELECT a FROM t), y AS (SELECT a AS b FROM x), z AS (SELECT * FROM y) SELECT b FROM z", "t | b <- t.a"),
        (
            Trino,
            "WITH x AS (WITH y AS (SELECT a FROM t) SELECT a FROM y) SELECT x.a, y.b FROM x JOIN y ON x.a = y.a",
            "t, y | a <- t.a, b <- y.b",
        ),
        (Trino, "WITH x AS (SELECT a FROM t) SELECT q.a FROM sales.x q JOIN x ON q.i = x.a", "t, sales.x | a <- sales.x.a"),
        (
            Trino,
            "WITH RECURSIVE r (n, p) AS (SELECT id, parent FROM tree UNION ALL SELECT t.id, r.p FROM tree t JOIN r ON t.parent = r.n) SELECT n, p FROM r",
            "tree | n <- tree.id, p <- tree.parent",
        ),
        (Trino, "SELECT s.b FROM t CROSS JOIN LATERAL (SELECT t.a AS b) s", "t | b <- t.a"),
        (Trino, "SELECT map, row FROM (SELECT a AS map, b AS row) x, t AS array (c)", "t |"),
        (Hive, "WITH x AS (SELECT a FROM t) SELECT a FROM x", "t | a <- t.a"),
    ]);
}

#[test]
fn set_operations_unite_column_by_column() {
    check(&[
        (Trino, "SELECT a, b FROM t UNION ALL SELECT c, d FROM u", "t, u | a <- t.a u.c, b <- t.b u.d"),
        (Trino, "SELECT a FROM t UNION SELECT b FROM u UNION (SELECT c FROM v)", "t, u, v | a <- t.a u.b v.c"),
        (Trino, "SELECT a FROM t EXCEPT SELECT b FROM u", "t, u | a <- t.a"),
        (Trino, "SELECT * FROM t UNION ALL SELECT * FROM u", "t, u |"),
        (Trino, "SELECT k FROM (SELECT a AS k FROM t UNION ALL SELECT b FROM u) s", "t, u | k <- t.a u.b"),
    ]);
}

#[test]
fn row_generators_are_no_tables() {
    check(&[
        (
            Trino,
            "SELECT o.id, i.sku FROM orders o CROSS JOIN UNNEST(o.items) AS i (sku, qty)",
            "orders | id <- orders.id, sku <- orders.items",
        ),
        (Trino, "SELECT sku, n FROM orders CROSS JOIN UNNEST(items) WITH ORDINALITY AS i (sku, n)", "orders | sku <- orders.items"),
        (Trino, "SELECT x.a FROM (VALUES (1, 2), (3, 4)) AS x (a, b) JOIN t ON x.a = t.a", "t |"),
        (Trino, "SELECT s FROM TABLE(sequence(1, 10)) AS q (s)", "|"),
        (
            Hive,
            "SELECT o.id, x.item FROM orders o LATERAL VIEW explode(o.items) x AS item",
            "orders | id <- orders.id, item <- orders.items",
        ),
        (
            Hive,
            "SELECT id, k, v FROM orders LATERAL VIEW OUTER explode(attrs) x AS k, v LATERAL VIEW explode(v) y AS w",
            "orders | id <- orders.id, k <- orders.attrs, v <- orders.attrs",
        ),
    ]);
}

#[test]
fn create_view_and_a_semicolon_are_tolerated() {
    check(&[
        (Trino, "CREATE VIEW v AS SELECT a FROM t", "t | a <- t.a"),
        (Trino, "CREATE OR REPLACE VIEW s.v (x, y) AS SELECT a, b FROM t;", "t | x <- t.a, y <- t.b"),
        (Hive, "CREATE VIEW `v` AS SELECT `a` FROM `t`", "t | a <- t.a"),
    ]);
}

#[test]
fn declared_columns_name_outputs_by_position() {
    let named = |sql: &str, columns: &[&str]| outline(&lineage(&view(Trino, sql, columns)).unwrap());
    assert_eq!(named("SELECT a + 1, upper(b) FROM t", &["X", "y"]), "t | x <- t.a, y <- t.b");
    assert_eq!(named("SELECT a AS p, b AS q FROM t", &["x", "y"]), "t | x <- t.a, y <- t.b");
    assert_eq!(named("SELECT max(a), t.* FROM t", &["m", "a", "b"]), "t | m <- t.a, a <- t.a, b <- t.b");
    assert_eq!(named("SELECT *, max(a) FROM t, u", &["m", "a", "b"]), "t, u |");
    assert_eq!(named("SELECT * FROM t", &["a", "b"]), "t | a <- t.a, b <- t.b");
    assert_eq!(named("SELECT * FROM t", &[]), "t |");
}

#[test]
fn a_union_of_thousands_and_a_long_chain_fit_or_are_refused() {
    let error = |sql: &str| lineage(&view(Trino, sql, &[])).err();
    let union = |count: usize| vec!["SELECT a FROM t"; count].join(" UNION ALL ");
    assert_eq!(error(&union(1_400)), None);
    assert_eq!(error(&union(10_000)), Some(ViewSqlError::TooComplex));
    let chain = |count: usize| format!("SELECT a{} AS x FROM t", " + a".repeat(count));
    assert_eq!(error(&chain(2_900)), None);
    for link in [" OR a", " IS NULL", "::int", "[1]", " IN (1)", " COLLATE c", " AT TIME ZONE 'u'", " BETWEEN a AND a", "->a"] {
        for count in [1_000, 2_900, 20_000] {
            error(&format!("SELECT a{} AS x FROM t", link.repeat(count)));
        }
    }
    assert_eq!(error(&chain(100_000)), Some(ViewSqlError::TooComplex));
    let list = format!("SELECT {} FROM t", vec!["a + b AS c"; 20_000].join(", "));
    assert_eq!(error(&list), None);
}

#[test]
fn depth_is_refused_without_overflowing_the_stack() {
    let error = |sql: &str| lineage(&view(Trino, sql, &[])).err();
    for depth in [150, 5_000, 100_000] {
        let nested = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        for sql in [
            format!("SELECT {} AS x FROM t", nested("(", "a", ")")),
            format!("SELECT * FROM {}", nested("(", "t", ")")),
            nested("SELECT * FROM (", "SELECT a FROM t", ") x"),
            nested("(", "SELECT a FROM t", ")"),
            format!("SELECT {} AS x FROM t", nested("f(", "a", ")")),
            format!("SELECT {} a AS x FROM t", nested("NOT ", "", "")),
            format!("SELECT {} AS x FROM t", nested("CASE WHEN a THEN ", "b", " END")),
            format!("SELECT CAST(a AS {}) AS x FROM t", nested("array<", "int", ">")),
        ] {
            let found = error(&sql);
            assert!(
                matches!(found, Some(ViewSqlError::TooComplex | ViewSqlError::Unparsed | ViewSqlError::TooLong)),
                "{depth}: {found:?}"
            );
        }
    }
}

#[test]
fn every_depth_up_to_the_bound_ends() {
    for depth in [1, 5, 10, 15, 30, 48, 49, 50, 75, 98, 99, 100] {
        let nested = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        let mut accepted = 0;
        for sql in [
            format!("SELECT {} AS x FROM t", nested("(", "a", ")")),
            format!("SELECT x FROM {}", nested("(", "t", ")")),
            format!("SELECT x FROM {}", nested("(", "t", " JOIN u ON a = b)")),
            nested("SELECT x FROM (", "SELECT x FROM t", ") x"),
            nested("(", "SELECT x FROM t", ")"),
            nested("WITH x AS (", "SELECT x FROM t", ") SELECT x FROM x"),
            format!("SELECT {} AS x FROM t", nested("f(", "a", ")")),
            format!("SELECT {} AS x FROM t", nested("CASE WHEN a THEN ", "b", " END")),
            format!("SELECT {} AS x FROM t", nested("(SELECT x FROM t WHERE x IN ", "(a)", ")")),
            format!("SELECT {} AS x FROM t", nested("CAST(", "a", " AS int)")),
            format!("SELECT {} AS x FROM t", nested("array[", "a", "]")),
            format!("SELECT {} AS x FROM t", nested("a.f(", "a", ").b")),
            format!("SELECT {} AS x FROM t", nested("(x -> ", "a", ")")),
            format!("SELECT {} AS x FROM t", nested("if(a, ", "a", ", b)")),
            format!("SELECT {} AS x FROM t", nested("interval ", "a", " day")),
        ] {
            for dialect in [Trino, Hive] {
                accepted += usize::from(lineage(&view(dialect, &sql, &[])).is_ok());
            }
        }
        assert!(depth > 10 || accepted > 20, "{depth}: {accepted}");
    }
}

#[test]
fn stars_that_double_at_each_level_stay_bounded() {
    let mut sql = String::from("WITH c0 AS (SELECT a, b FROM t)");
    for level in 1..60 {
        sql.push_str(&format!(", c{level} AS (SELECT x.*, y.* FROM c{} x, c{} y)", level - 1, level - 1));
    }
    sql.push_str(" SELECT * FROM c59");
    assert_eq!(outline(&lineage(&view(Trino, &sql, &[])).unwrap()), "t |");
}

#[test]
fn text_that_is_no_query_is_an_error_without_a_quote() {
    let error = |sql: &str| lineage(&view(Trino, sql, &[])).unwrap_err();
    assert_eq!(error("hunter2 is the password"), ViewSqlError::Unparsed);
    assert_eq!(error(""), ViewSqlError::NotAQuery);
    assert_eq!(error("SELECT 1; SELECT 2"), ViewSqlError::NotAQuery);
    assert_eq!(error("DROP TABLE t"), ViewSqlError::NotAQuery);
    assert_eq!(error("SELECT 'hunter2"), ViewSqlError::Unparsed);
    assert_eq!(error("\u{0}\u{1}\u{fffd} ((("), ViewSqlError::Unparsed);
    assert_eq!(error(&"a".repeat(500_000)), ViewSqlError::TooLong);
    assert!(!error("SELECT hunter2 hunter2 hunter2").to_string().contains("hunter2"));
}
