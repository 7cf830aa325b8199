use super::*;
use crate::domain::action::Action;
use crate::domain::table::Table;
use crate::service::world::World;

#[derive(Clone)]
struct Row(&'static str, u64);

impl Listed for Row {
    type Rows = Table<usize, Self>;
    const SORTS: &'static [&'static str] = &["name", "size"];
    const FILTERS: &'static [&'static str] = &["name", "size"];
    const SEES: Option<fn(&Caller, &Self) -> bool> = Some(|_, row| row.1 < 3);

    fn rows(_: &State) -> &Self::Rows {
        unreachable!("the tests have a table of their own")
    }

    /// `|` separates alternatives, and `+` the texts of one.
    fn expand<'a>(_: &str, value: &'a str, _: &Caller) -> Result<Vec<Vec<Cow<'a, str>>>, Refusal> {
        Ok(value.split('|').map(|texts| texts.split('+').map(Cow::Borrowed).collect()).collect())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        if member == "name" { Field::Text(self.0.to_owned()) } else { Field::Number(self.1) }
    }
}

struct Asking {
    world: World,
    rows: Vec<Row>,
}

impl Asking {
    fn of(rows: &[Row]) -> Self {
        let world = World::new();
        world.user("ann", &[Action::ViewNative]);
        Self { world, rows: rows.to_vec() }
    }

    fn as_user(
        &self,
        name: &str,
        skip: usize,
        limit: Limit,
        sort: &[(&str, bool)],
        filters: &[(&str, &str)],
    ) -> (usize, Vec<&'static str>) {
        let mut table = Table::default();
        for (n, row) in self.rows.iter().enumerate() {
            table.insert(n, row.clone());
        }
        let sort = sort.iter().map(|(member, down)| ((*member).to_owned(), *down)).collect();
        let filters = filters.iter().map(|(member, value)| ((*member).to_owned(), (*value).to_owned())).collect();
        let query = Query { skip, limit, sort, filters, ..Query::default() };
        let page = self.world.run(page_of::<Row>(&table, &self.world.caller(name), &query));
        let Page { total, mut rows, .. } = page.unwrap_or_else(|failure| panic!("{failure}"));
        let mut names = Vec::new();
        while !rows.is_empty() {
            let before = rows.len();
            names.extend(rows.take(2).iter().map(|row| row.0));
            assert_eq!(rows.len(), before.saturating_sub(2), "two at a time");
        }
        (total, names)
    }

    fn ask(
        &self,
        skip: usize,
        limit: Limit,
        sort: &[(&str, bool)],
        filters: &[(&str, &str)],
    ) -> (usize, Vec<&'static str>) {
        self.as_user("admin", skip, limit, sort, filters)
    }
}

const FEW: [Row; 4] = [Row("b", 2), Row("a", 1), Row("ab", 2), Row("c", 3)];

#[test]
fn rows_come_in_order_of_creation_unless_sorted() {
    let list = Asking::of(&FEW);
    assert_eq!(list.ask(1, Limit::Rows(2), &[], &[]), (4, vec!["a", "ab"]));
    assert_eq!(list.ask(9, Limit::All, &[], &[]), (4, vec![]));
    assert_eq!(list.ask(1, Limit::All, &[], &[]), (4, vec!["a", "ab", "c"]));
}

#[test]
fn several_members_sort_and_equal_rows_keep_their_order() {
    let list = Asking::of(&FEW);
    assert_eq!(list.ask(0, Limit::All, &[("size", true)], &[]).1, ["c", "b", "ab", "a"]);
    assert_eq!(list.ask(0, Limit::All, &[("size", true), ("name", false)], &[]).1, ["c", "ab", "b", "a"]);
}

#[test]
fn a_row_matches_any_value_of_each_filtered_member() {
    let list = Asking::of(&FEW);
    assert_eq!(list.ask(0, Limit::All, &[], &[("name", "a"), ("name", "c")]), (2, vec!["a", "c"]));
    assert_eq!(list.ask(0, Limit::Rows(1), &[], &[("name", "*b"), ("size", "2")]), (2, vec!["b"]));
    assert_eq!(list.ask(1, Limit::All, &[], &[("size", "2")]), (2, vec!["ab"]));
}

#[test]
fn a_value_can_stand_for_several_texts() {
    let list = Asking::of(&FEW);
    assert_eq!(list.ask(0, Limit::All, &[], &[("size", "1|2")]).1, ["b", "a", "ab"]);
    assert_eq!(list.ask(0, Limit::All, &[], &[("name", "a?+*b")]).1, ["ab"]);
    assert_eq!(list.ask(0, Limit::All, &[], &[("size", "1|2"), ("size", "3")]).0, 4);
}

#[test]
fn rows_that_a_user_may_not_view_are_listed_for_administrators_only() {
    let list = Asking::of(&FEW);
    assert_eq!(list.as_user("ann", 1, Limit::All, &[], &[]), (3, vec!["a", "ab"]));
    assert_eq!(list.as_user("ann", 0, Limit::All, &[], &[("name", "c")]).0, 0);
}

#[test]
fn a_read_of_many_rows_finds_the_same_as_a_short_one() {
    let rows: Vec<Row> = FEW.iter().cycle().take(4 * ROWS_AT_ONCE).cloned().collect();
    let list = Asking::of(&rows);
    let (total, names) = list.ask(ROWS_AT_ONCE - 1, Limit::Rows(2), &[("name", true)], &[]);
    assert_eq!((total, names), (4 * ROWS_AT_ONCE, vec!["c", "b"]));
    assert_eq!(list.as_user("ann", 0, Limit::Rows(1), &[], &[("size", "1")]), (ROWS_AT_ONCE, vec!["a"]));
}

#[test]
fn every_page_is_a_part_of_the_whole_sorted_list() {
    const NAMES: [&str; 12] = ["l", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"];
    let rows: Vec<Row> =
        NAMES.iter().zip([2, 1, 2, 0, 1, 1, 2, 0, 2, 0, 1, 2]).map(|(name, size)| Row(name, size)).collect();
    let list = Asking::of(&rows);
    for sort in [&[("size", false)] as &[_], &[("size", true)], &[("size", true), ("name", false)], &[]] {
        let (total, whole) = list.ask(0, Limit::All, sort, &[("name", "?")]);
        assert_eq!(total, NAMES.len());
        for (skip, limit) in
            (0..=NAMES.len() + 1).flat_map(|skip| (1..=NAMES.len() + 1).map(move |limit| (skip, limit)))
        {
            let wanted: Vec<_> = whole.iter().skip(skip).take(limit).copied().collect();
            assert_eq!(
                list.ask(skip, Limit::Rows(limit), sort, &[("name", "?")]),
                (total, wanted),
                "{sort:?} {skip} {limit}"
            );
        }
    }
    let (_, sorted) = list.ask(0, Limit::All, &[("size", true)], &[]);
    assert_eq!(sorted, ["l", "j", "f", "d", "a", "k", "h", "g", "b", "i", "e", "c"]);
}
