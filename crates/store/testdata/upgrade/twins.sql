INSERT INTO twin VALUES ('arn:aws:glue:eu-west-1:111122223333:table/sales/orders', 2);
