-- The column, the right to change it, and the indexes of lists.
SELECT withdrawn FROM inventory.products WHERE false;
SELECT 1 / has_column_privilege('inventory_svc', 'inventory.products', 'withdrawn', 'UPDATE')::int;
SELECT 'inventory.products_on_sale'::regclass, 'inventory.products_by_price'::regclass,
       'inventory.products_by_word'::regclass;
