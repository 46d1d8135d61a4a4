#!/usr/bin/python3
"""Fill a fresh Tryton 6.0 database with deterministic distribution-business data.

usage: seed.py DATABASE TRYTOND_CONF SUMMARY      (SUMMARY: file that gets the ids as JSON)
Sizes: TRYTON_SKUS (default 120), TRYTON_CUSTOMERS (40).
"""
import datetime
import json
import os
import sys
from decimal import Decimal

from proteus import Model, Wizard, config as pconfig

DB, CONF, SUMMARY = sys.argv[1:4]
N_SKU = int(os.environ.get('TRYTON_SKUS', 120))
N_CUST = int(os.environ.get('TRYTON_CUSTOMERS', 40))
cfg = pconfig.set_trytond(DB, config_file=CONF)
D = Decimal
today = datetime.date.today()
get = Model.get


def one(model, domain):
    return get(model).find(domain, limit=1)[0]


# -- countries, currency, company --------------------------------------------
Country, Subdivision = get('country.country'), get('country.subdivision')
countries = {}
for code, code3, name in [('US', 'USA', 'United States'), ('CA', 'CAN', 'Canada'), ('DE', 'DEU', 'Germany')]:
    c = Country(name=name, code=code, code3=code3)
    c.save()
    countries[code] = c
states = {}
for code, name in [('US-NJ', 'New Jersey'), ('US-CA', 'California'), ('US-TX', 'Texas'), ('US-IL', 'Illinois')]:
    s = Subdivision(country=countries['US'], code=code, name=name, type='state')
    s.save()
    states[code] = s

Currency = get('currency.currency')
for name, code, sym, num, rate in [('US Dollar', 'USD', '$', '840', '1'), ('Euro', 'EUR', '€', '978', '0.92')]:
    cur = Currency(name=name, code=code, symbol=sym, numeric_code=num, rounding=D('0.01'), digits=2)
    cur.rates.new(date=datetime.date(today.year, 1, 1), rate=D(rate))
    cur.save()
usd = one('currency.currency', [('code', '=', 'USD')])

Party = get('party.party')
own = Party(name='Harbor Wholesale Inc.')
own.save()
wiz = Wizard('company.company.config')
wiz.execute('company')
wiz.form.party, wiz.form.currency = own, usd
wiz.execute('add')
User = get('res.user')
cfg._context = User.get_preferences(True, {})
company = one('company.company', [])

# -- accounting: chart, fiscal years, sequences, tax, terms -------------------
tmpl = get('account.account.template')(
    one('ir.model.data', [('module', '=', 'account'), ('fs_id', '=', 'account_template_root_en')]).db_id)
w = Wizard('account.create_chart')
w.execute('account')
w.form.account_template, w.form.company = tmpl, company
w.execute('create_account')
acc = {}
for kind in ('receivable', 'payable', 'revenue', 'expense'):
    acc[kind] = one('account.account', [('type.' + kind, '=', True), ('company', '=', company.id)])
w.form.account_receivable, w.form.account_payable = acc['receivable'], acc['payable']
w.execute('create_properties')

Sequence, SeqStrict = get('ir.sequence'), get('ir.sequence.strict')
move_type = one('ir.sequence.type', [('name', '=', 'Account Move')])
inv_type = one('ir.sequence.type', [('name', '=', 'Invoice')])
for year in (today.year - 1, today.year, today.year + 1):
    fy = get('account.fiscalyear')(name=str(year), company=company)
    fy.start_date, fy.end_date = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
    mseq = Sequence(name='move %s' % year, sequence_type=move_type, company=company)
    mseq.save()
    fy.post_move_sequence = mseq
    iseq = SeqStrict(name='invoice %s' % year, sequence_type=inv_type, company=company,
                     prefix='INV%s-' % year, padding=5)
    iseq.save()
    line = fy.invoice_sequences[0] if fy.invoice_sequences else fy.invoice_sequences.new()
    line.out_invoice_sequence = line.out_credit_note_sequence = iseq
    line.in_invoice_sequence = line.in_credit_note_sequence = iseq
    fy.save()
    fy.click('create_period')

taxacc = one('account.account', [('name', '=', 'Main Tax'), ('company', '=', company.id)])
Tax = get('account.tax')
tax = Tax(name='Sales tax 8%', description='ST8', type='percentage', rate=D('0.08'),
          invoice_account=taxacc, credit_note_account=taxacc)
tax.save()
terms = {}
for name, days in [('Net 30', 30), ('Net 60', 60), ('Prepaid', 0)]:
    t = get('account.invoice.payment_term')(name=name)
    tl = t.lines.new(type='remainder')
    d = tl.relativedeltas.new()
    d.days = days
    t.save()
    terms[name] = t

# -- products -----------------------------------------------------------------
Category, Template = get('product.category'), get('product.template')
acat = Category(name='Goods (accounting)', accounting=True,
                account_expense=acc['expense'], account_revenue=acc['revenue'])
acat.save()
families = []
for name in ('Fasteners', 'Safety', 'Electrical', 'Janitorial'):
    c = Category(name=name)
    c.save()
    families.append(c)
unit, kg = one('product.uom', [('name', '=', 'Unit')]), one('product.uom', [('name', '=', 'Kilogram')])
products = []
for i in range(1, N_SKU + 1):
    t = Template(name='%s item %03d' % (families[i % 4].name, i), default_uom=unit, type='goods')
    t.salable = t.purchasable = True
    t.list_price = D(500 + (i * 137) % 9500) / 100
    t.cost_price_method = 'fixed'
    t.account_category = acat
    t.categories.append(Category(families[i % 4].id))
    t.weight, t.weight_uom = round(0.1 * (1 + i % 30), 2), kg
    p = t.products[0] if t.products else t.products.new()
    p.suffix_code = 'SKU-%04d' % i
    p.cost_price = (t.list_price * D('0.6')).quantize(D('0.0001'))
    t.save()
    products.append(get('product.product')(t.products[0].id))

# -- warehouses ---------------------------------------------------------------
Location = get('stock.location')
wh1 = one('stock.location', [('type', '=', 'warehouse')])
wh1.name, wh1.code = 'DC East', 'DC-EAST'
lost = one('stock.location', [('type', '=', 'lost_found')])
wh1.lost_found_location = lost
wh1.save()
warehouses = [wh1]
for name, code in [('DC West', 'DC-WEST'), ('3PL Chicago', '3PL-CHI')]:
    parts = {}
    for suffix in ('input', 'output', 'storage'):
        loc = Location(name='%s %s' % (name, suffix), code='%s-%s' % (code, suffix[:3].upper()), type='storage')
        loc.save()
        parts[suffix] = loc
    wh = Location(name=name, code=code, type='warehouse')
    wh.input_location, wh.output_location, wh.storage_location = parts['input'], parts['output'], parts['storage']
    wh.lost_found_location = lost
    wh.save()
    warehouses.append(wh)
for aisle in 'AB':
    b = Location(name='Bin %s1' % aisle, code='DC-EAST-%s1' % aisle, type='storage', parent=wh1.storage_location)
    b.save()

# -- parties, price lists, credit limits ---------------------------------------
PriceList = get('product.price_list')
lists = {}
for name, tiers in [('Wholesale', [(None, '0.85')]),
                    ('Distributor', [(100, '0.70'), (24, '0.75'), (None, '0.80')]),
                    ('Marketplace', [(None, '1.12')])]:
    pl = PriceList(name=name)
    for qty, factor in tiers:
        ln = pl.lines.new()
        if qty:
            ln.quantity = float(qty)
        ln.formula = 'unit_price * %s' % factor
    pl.save()
    lists[name] = pl

cities = [('Newark', 'US-NJ', '07102'), ('Oakland', 'US-CA', '94607'), ('Austin', 'US-TX', '73301'), ('Chicago', 'US-IL', '60601')]
customers = []
for i in range(1, N_CUST + 1):
    p = Party(name='Customer %03d LLC' % i, code='CUST-%04d' % i)
    a = p.addresses[0] if p.addresses else p.addresses.new()
    city, st, zipc = cities[i % 4]
    a.street, a.city, a.postal_code = '%d Main Street' % (10 + i), city, zipc
    a.country, a.subdivision = countries['US'], states[st]
    cm = p.contact_mechanisms.new(type='email')
    cm.value = 'buyer%03d@example.com' % i
    p.customer_payment_term = terms['Net 30' if i % 3 else 'Net 60']
    p.sale_price_list = lists[('Wholesale', 'Distributor', 'Marketplace')[i % 3]]
    # every fifth customer has a tight limit, one in seven none at all
    if i % 7:
        p.credit_limit_amount = D('500') if i % 5 == 0 else D('250000')
    p.save()
    customers.append(p)
suppliers = []
for i in range(1, 4):
    p = Party(name='Supplier %d Corp.' % i, code='SUPP-%04d' % i)
    p.addresses.new(street='%d Dock Road' % i, city='Newark', postal_code='07102', country=countries['US'])
    p.supplier_payment_term = terms['Net 60']
    p.save()
    suppliers.append(p)
PS = get('purchase.product_supplier')
for i, p in enumerate(products):
    ps = PS(template=p.template, party=suppliers[i % 3], currency=usd)
    ps.lead_time = datetime.timedelta(days=5 + i % 10)
    ps.code = 'V%d-%04d' % (i % 3, i)
    pr = ps.prices.new()
    pr.quantity, pr.unit_price = 0.0, (p.template.list_price * D('0.6')).quantize(D('0.0001'))
    ps.save()

# -- opening stock -------------------------------------------------------------
Inventory = get('stock.inventory')
for k, wh in enumerate(warehouses):
    inv = Inventory(location=wh.storage_location, date=today)
    for i, p in enumerate(products):
        if (i + k) % 9 == 0:
            continue              # out of stock in this warehouse
        ln = inv.lines.new(product=p)
        ln.quantity = float(20 + (i * 31 + k * 57) % 400)
        ln.expected_quantity = 0.0
    inv.save()
    inv.click('confirm')

OrderPoint = get('stock.order_point')
for p in products[:20]:
    op = OrderPoint(product=p, warehouse_location=wh1, type='purchase')
    op.min_quantity, op.target_quantity = 50.0, 300.0
    op.save()

# -- the integration user --------------------------------------------------------
Group = get('res.group')
emp_party = Party(name='Integration Robot', code='EMP-0001')
emp_party.save()
emp = get('company.employee')(party=emp_party, company=company)
emp.save()
user = User(name='Crossdock', login='crossdock')
user.password = 'crossdock-pw'
# all groups but those that may override a credit limit (that turns the error into a warning)
for g in Group.find([]):
    if 'credit' not in g.name.lower() and g.name != 'Administration':
        user.groups.append(g)
user.companies.append(company)
user.company = company
user.employees.append(emp)
user.employee = emp
user.save()

# -- CRM: leads and opportunities -----------------------------------------------
Opp = get('sale.opportunity')
for i in range(12):
    o = Opp(description='Deal %02d' % (i + 1), company=company, employee=emp)
    o.party = customers[i]
    o.address = customers[i].addresses[0]
    o.payment_term = terms['Net 30']
    o.amount = D(1000 + 250 * i)
    ln = o.lines.new()
    ln.product, ln.quantity = products[i], 5.0 + i
    o.save()
    if i % 2:
        o.click('opportunity')

# -- who buys in the shops: one party for each, without a credit limit -------------
shoppers = {}
for code, name in [('SHOP-MEDUSA', 'Buyers of the Medusa shop'), ('SHOP-VENDURE', 'Buyers of the Vendure shop')]:
    p = Party(name=name, code=code)
    a = p.addresses[0] if p.addresses else p.addresses.new()
    a.street, a.city, a.postal_code = '1 Dock Road', 'Newark', '07102'
    a.country, a.subdivision = countries['US'], states['US-NJ']
    p.customer_payment_term = terms['Prepaid']
    p.save()
    shoppers[code] = p.id

summary = {
    'company': company.id, 'currency': usd.id, 'user': user.id, 'employee': emp.id,
    'warehouses': {w.code: {'id': w.id, 'storage': w.storage_location.id} for w in warehouses},
    'customers': len(customers), 'suppliers': len(suppliers), 'products': len(products),
    'price_lists': {k: v.id for k, v in lists.items()}, 'shoppers': shoppers,
}
with open(SUMMARY, 'w') as file:
    json.dump(summary, file, indent=1)
