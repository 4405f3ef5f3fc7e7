use larder::cached;

struct Db;

trait Names {
    fn name(&self) -> String;
}

impl Names for u64 {
    fn name(&self) -> String {
        self.to_string()
    }
}

#[cached(skip(db, log))]
fn skipped(id: u64, db: &Db, log: &dyn Fn(&str)) -> u64 {
    let Db = db;
    log("computing");
    id
}

#[cached(key(name.as_ref()))]
fn by_conversion(name: impl AsRef<str>) -> usize {
    name.as_ref().len()
}

#[cached(key(names.name()))]
fn by_trait_object(names: &dyn Names) -> String {
    names.name()
}

#[cached(key = "name:{names.name()}")]
fn by_trait_object_in_a_template(names: &(dyn Names + Sync)) -> String {
    names.name()
}

#[cached(key(xs.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), flag as u8, left + right))]
fn by_expressions(xs: &[f64], flag: bool, left: u64, right: u64) -> usize {
    xs.len() + usize::from(flag) + (left + right) as usize
}

#[cached(key(format!("{id}:{name}"), ids.first().copied()))]
fn by_format(id: u64, name: &str, ids: &[&u64]) -> usize {
    name.len() + id as usize + ids.len()
}

#[cached(key(db.id))]
fn by_field_of_the_same_name(db: &Row, id: u64) -> u64 {
    db.id + id
}

struct Row {
    id: u64,
}

fn main() {
    assert_eq!(skipped(1, &Db, &|_| {}), 1);
    assert_eq!(skipped(1, &Db, &|_| panic!("this is a hit")), 1);
    assert_eq!(by_conversion("abc"), 3);
    assert_eq!(by_conversion::peek("abc"), Some(3));
    assert_eq!(by_trait_object(&7), "7");
    assert_eq!(by_trait_object_in_a_template(&7), "7");
    assert_eq!(by_expressions(&[1.0], true, 1, 2), 5);
    assert_eq!(by_expressions::peek(&[1.0], true, 2, 1), Some(5));
    assert_eq!(by_format(1, "a", &[]), 2);
    assert_eq!(by_format::peek(1, "a", &[]), Some(2));
    let row = Row { id: 1 };
    assert_eq!(by_field_of_the_same_name(&row, 2), 3);
    assert_eq!(by_field_of_the_same_name::peek(&row), Some(3));
}
