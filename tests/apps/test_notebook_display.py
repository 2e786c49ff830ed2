"""What a person sees in the classic Notebook: a crash that costs a cell, plots between texts, tables, Tab and Shift-Tab.

With CARRACK_SCREENSHOTS=docs/pictures these make the pictures of the README.
"""
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from test_notebook_browser import browser, page, server  # noqa: F401 (fixtures)


def run(p, i, n):
    p.click(i)
    p.press(Keys.SHIFT, Keys.ENTER)
    p.ran(i, n)


def test_crash(page):  # noqa: F811
    p = page('flights <- data.frame(day = 1:3, delay = c(12, 3, 40))\nlibrary(stats4)\nset.seed(7)\nflights',
             '# something in a package goes badly wrong\nfit <- function(d) tools::pskill(Sys.getpid(), 11)\n'
             'for (i in 1:2) cat("pass", i, "\\n")\nfit(flights)',
             'mean(flights$delay)          # nothing was lost\n')
    run(p, 0, 1)
    run(p, 1, 2)
    run(p, 2, 3)
    assert 'pass 1' in p.output(1) and 'Segmentation fault' in p.output(1)
    assert 'R: fit()' in p.output(1) and 'The session goes on as it was before this cell' in p.output(1)
    assert '18.33333' in p.output(2)
    p.js('document.querySelector("#header-container").style.display = "none"; document.querySelector("#menubar-container").style.display = "none"')


def test_plots_between_texts(page):  # noqa: F811
    p = page('options(repr.plot.width = 6, repr.plot.height = 2.5)\ncat("before\\n")\nplot(cars)\ncat("after\\n")\nhead(cars, 2)')
    run(p, 0, 1)
    kinds = [e.get_attribute('class') for e in p.cell(0).find_elements(By.CSS_SELECTOR, '.output_subarea')]
    assert [('png' if 'png' in k else 'html' if 'html' in k else 'text') for k in kinds] == ['text', 'png', 'text', 'html']
    image = p.cell(0).find_element(By.CSS_SELECTOR, 'img')
    assert image.size['width'] == 360 and p.js('return arguments[0]') is None or image.size['height'] == 150
    assert p.cell(0).find_elements(By.CSS_SELECTOR, 'table td')


def test_tab_and_shift_tab(page):  # noqa: F811
    p = page('quantil', 'quantile(')
    p.click(0)
    p.press(Keys.CONTROL, Keys.END)
    p.driver.switch_to.active_element.send_keys(Keys.TAB)
    p.wait(lambda: 'quantile' in p.cell(0).find_element(By.CSS_SELECTOR, '.CodeMirror').text)
    p.click(1)
    p.press(Keys.CONTROL, Keys.END)
    p.press(Keys.SHIFT, Keys.TAB)
    p.wait(lambda: [t for t in p.driver.find_elements(By.CSS_SELECTOR, '.tooltip, #tooltip') if 'probs' in t.text])
