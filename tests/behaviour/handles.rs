//! Entries: what a method with `handle = name` gets beside it.

use crate::support::{Calls, block_on, everywhere_async, fresh};
use larder::{Runtime, cached};

static SOURCE: Calls = Calls::new();

#[test]
fn an_entry_has_the_operations_of_one_call() {
    struct Shop {
        tenant: u64,
    }

    impl Shop {
        #[cached(key(self.tenant, id), handle = price_entry)]
        fn price(&self, id: u64, _database: &str) -> u64 {
            SOURCE.note() + id
        }

        #[cached(key(self.tenant, id), handle = stock_entry)]
        async fn stock(&self, id: u64) -> u64 {
            SOURCE.note() + id
        }

        #[cached(handle = made_entry)]
        fn made(id: u64) -> u64 {
            SOURCE.note() + id
        }
    }

    everywhere_async(|| async {
        let (shop, other) = (Shop { tenant: 1 }, Shop { tenant: 2 });
        let entry = shop.price_entry(1);
        assert_eq!(entry.peek(), None);
        let kept = shop.price(1, "db");
        assert_eq!(entry.peek(), Some(kept));
        assert_eq!(other.price_entry(1).peek(), None);
        let refreshed = entry.refresh(|| shop.price(1, "db"));
        assert!(refreshed > kept);
        assert_eq!(shop.price(1, "db"), refreshed);
        entry.put(7, || shop.price(1, "db"));
        assert_eq!(shop.price(1, "db"), 7);
        assert!(entry.uncached(|| shop.price(1, "db")) > refreshed);
        assert_eq!(shop.price(1, "db"), 7);
        assert!(entry.explain().to_string().contains("would be served"));
        assert_eq!(entry.stats().name, shop.price_entry(1).call_context().function);
        assert_eq!((entry.stats().bypasses_asked, entry.stats().invalidations_key), (1, 0));
        entry.invalidate().unwrap();
        assert_eq!(entry.peek(), None);

        let entry = shop.stock_entry(1);
        let kept = shop.stock(1).await;
        assert_eq!(entry.peek().await, Some(kept));
        let refreshed = entry.refresh(shop.stock(1)).await;
        assert_eq!(shop.stock(1).await, refreshed);
        entry.put(7, shop.stock(1)).await;
        assert_eq!(shop.stock(1).await, 7);
        assert!(entry.uncached(shop.stock(1)).await > refreshed);
        entry.invalidate().await.unwrap();
        assert_eq!(entry.peek().await, None);

        let kept = Shop::made(1);
        assert_eq!(Shop::made_entry(1).peek(), Some(kept));
        Shop::made_entry(1).invalidate().unwrap();
        assert_eq!(Shop::made_entry(1).peek(), None);
    });
}

#[test]
fn an_entry_forgets_all_calls_of_its_function() {
    struct Shop(u64);

    impl Shop {
        #[cached(key(self.0, id), handle = price_entry)]
        fn price(&self, id: u64) -> u64 {
            SOURCE.note() + id
        }

        #[cached(key(self.0, id), handle = stock_entry)]
        async fn stock(&self, id: u64) -> u64 {
            SOURCE.note() + id
        }
    }

    everywhere_async(|| async {
        let (shop, other) = (Shop(1), Shop(2));
        let (kept, others) = (shop.price(1), other.price(2));
        let forgotten = shop.price_entry(1).stats().invalidations_function;
        shop.price_entry(1).invalidate_all().unwrap();
        assert_eq!(shop.price_entry(1).stats().invalidations_function, forgotten + 1);
        assert_eq!((shop.price_entry(1).peek(), other.price_entry(2).peek()), (None, None));
        assert!(shop.price(1) > kept && other.price(2) > others);

        let (kept, others) = (shop.stock(1).await, other.stock(2).await);
        shop.stock_entry(1).invalidate_all().await.unwrap();
        assert_eq!(shop.stock_entry(1).peek().await, None);
        assert!(shop.stock(1).await > kept && other.stock(2).await > others);
    });
}

#[test]
fn an_entry_speaks_of_the_runtime_of_its_function() {
    struct Shop {
        runtime: Runtime,
    }

    impl Shop {
        #[cached(key(id), skip(self), runtime = self.runtime, handle = price_entry)]
        fn price(&self, id: u64) -> u64 {
            id
        }

        #[cached(key(id), skip(self), runtime = self.runtime, handle = stock_entry)]
        async fn stock(&self, id: u64) -> u64 {
            id
        }
    }

    let (shop, other) = (Shop { runtime: fresh().0 }, Shop { runtime: fresh().0 });
    block_on(async {
        for shop in [&shop, &shop, &other] {
            assert_eq!((shop.price(1), shop.stock(1).await), (1, 1));
        }
        let (price, stock) = (shop.price_entry(1), shop.stock_entry(1));
        assert_eq!((price.stats().hits, price.stats().computations), (1, 1));
        assert_eq!((stock.stats().hits, stock.stats().computations), (1, 1));
        price.invalidate_all().unwrap();
        stock.invalidate_all().await.unwrap();
        assert_eq!((price.peek(), stock.peek().await), (None, None));
        assert_eq!(price.stats().invalidations_function, 1);
        let (price, stock) = (other.price_entry(1), other.stock_entry(1));
        assert_eq!((price.peek(), stock.peek().await), (Some(1), Some(1)));
        assert_eq!(stock.stats().invalidations_function, 0);
    });
}
