/* test_zoo_linear.c: linear models to their optimum, on real tables: against the normal equations and a gradient
 * computed here, and against scikit-learn 1.9.1's coefficients (its solvers run to a tolerance of 1e-10 and below). */
#include "lesson.h"
#include <math.h>

enum { MOST_ROWS = 800, MOST_COLUMNS = 32 };

typedef struct table {
    hd_dataset *data;
    int64_t n, d;
    double x[MOST_ROWS][MOST_COLUMNS], y[MOST_ROWS];
} table;

static table sheet;

/* Opens a table of the data room; skips the test without it. */
static void open_table(hd_context *ctx, const char *name) {
    char file[128];
    float row[MOST_COLUMNS], value;
    (void)snprintf(file, sizeof file, "data/tabular/%s", name);
    const char *path = test_data(file);
    if (!path) skip();
    if (hd_data_open(&sheet.data, ctx, path, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_data_info info = hd_data_get_info(sheet.data);
    sheet.n = info.count;
    sheet.d = info.sample.dim[0];
    assert_true(sheet.n <= MOST_ROWS && sheet.d < MOST_COLUMNS);
    for (int64_t i = 0; i < sheet.n; i++) {
        hd_data_x(sheet.data, i, row);
        for (int64_t j = 0; j < sheet.d; j++) sheet.x[i][j] = (double)row[j];
        sheet.x[i][sheet.d] = 1;
        if (info.classes == 0) hd_data_values(sheet.data, i, &value);
        sheet.y[i] = info.classes > 0 ? (double)hd_data_label(sheet.data, i) : (double)value;
    }
}

static lesson fit(hd_context *ctx, const char *table_name, const char *model, const char *train) {
    char recipe[512];
    open_table(ctx, table_name);
    lesson l = {.ctx = ctx};
    (void)snprintf(recipe, sizeof recipe,
                   "{\"data\": {\"val\": 0, \"test\": 0}, \"model\": \"%s\", \"train\": {\"method\": \"exact\"%s}, "
                   "\"eval\": {\"baselines\": false}}",
                   model, train);
    learn(&l, recipe, sheet.data);
    assert_true(found(&l, "converged")->boolean);
    return l;
}

static void done(lesson *l) {
    forget(l);
    hd_data_free(sheet.data);
    hd_context_free(l->ctx);
}

/* Coefficient j of an output, in the data's units; j = d: the intercept. */
static double coefficient(const lesson *l, int64_t output, int64_t j) {
    const hd_json *row = found(l, j == sheet.d ? "intercepts" : "coefficients")->child;
    for (int64_t k = 0; k < output; k++) row = row->next;
    if (j == sheet.d) return row->number;
    for (row = row->child; j > 0; j--) row = row->next;
    return row->number;
}

static void is_near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance * fmax(1e-3, fabs(want)))) fail_msg("%.9g, expected %.9g", got, want);
}

/* (XᵀX) w = Xᵀ y, by elimination with pivots. */
static void normal_equations(double *w) {
    static double a[MOST_COLUMNS][MOST_COLUMNS + 1];
    const int64_t p = sheet.d + 1;
    memset(a, 0, sizeof a);
    for (int64_t i = 0; i < sheet.n; i++)
        for (int64_t j = 0; j < p; j++) {
            for (int64_t k = 0; k < p; k++) a[j][k] += sheet.x[i][j] * sheet.x[i][k];
            a[j][p] += sheet.x[i][j] * sheet.y[i];
        }
    for (int64_t c = 0; c < p; c++) {
        int64_t top = c;
        for (int64_t r = c; r < p; r++)
            if (fabs(a[r][c]) > fabs(a[top][c])) top = r;
        for (int64_t k = 0; k <= p; k++) {
            const double t = a[c][k];
            a[c][k] = a[top][k];
            a[top][k] = t;
        }
        for (int64_t r = 0; r < p; r++) {
            const double f = r == c ? 0 : a[r][c] / a[c][c];
            for (int64_t k = c; k <= p && f != 0; k++) a[r][k] -= f * a[c][k];
        }
    }
    for (int64_t j = 0; j < p; j++) w[j] = a[j][p] / a[j][j];
}

static void least_squares_are_the_normal_equations(void **state) {
    (void)state;
    double w[MOST_COLUMNS];
    lesson l = fit(test_context(1), "boston_house_prices.csv", "linear-regression", "");
    normal_equations(w);
    for (int64_t j = 0; j <= sheet.d; j++) is_near(coefficient(&l, 0, j), w[j], 1e-4);
    /* and the network computes what the coefficients say */
    float x[MOST_COLUMNS], y;
    for (int64_t i = 0; i < sheet.n; i += 17) {
        double sum = 0;
        for (int64_t j = 0; j <= sheet.d; j++) x[j] = (float)sheet.x[i][j], sum += w[j] * sheet.x[i][j];
        assert_int_equal(hd_model_predict(hd_trainer_model(l.trainer), x, 1, &y), HD_OK);
        is_near((double)y, sum, 1e-4);
    }
    done(&l);
}

/* The gradient of the mean loss plus l2/2 Σ (s w)², s the deviations, by the coefficients in the data's units: 0 at the
 * optimum, computed here from nothing but the table. */
static void logistic_gradient_is_zero(void **state) {
    (void)state;
    const double l2 = 0.002;
    lesson l = fit(test_context(1), "breast_cancer.csv", "logistic-regression", ", \"l2\": 0.002");
    double mean[MOST_COLUMNS] = {0}, std[MOST_COLUMNS] = {0}, g[MOST_COLUMNS] = {0};
    const double n = (double)sheet.n;
    for (int64_t i = 0; i < sheet.n; i++)
        for (int64_t j = 0; j < sheet.d; j++) mean[j] += sheet.x[i][j] / n;
    for (int64_t i = 0; i < sheet.n; i++)
        for (int64_t j = 0; j < sheet.d; j++) std[j] += (sheet.x[i][j] - mean[j]) * (sheet.x[i][j] - mean[j]) / n;
    for (int64_t j = 0; j < sheet.d; j++) std[j] = sqrt(std[j]);
    std[sheet.d] = 1;
    for (int64_t i = 0; i < sheet.n; i++) {
        double s = 0;
        for (int64_t j = 0; j <= sheet.d; j++) s += coefficient(&l, 0, j) * sheet.x[i][j];
        for (int64_t j = 0; j <= sheet.d; j++)
            g[j] += (1 / (1 + exp(-s)) - sheet.y[i]) * (sheet.x[i][j] - mean[j]) / std[j] / n;
    }
    for (int64_t j = 0; j <= sheet.d; j++) {
        const double pull = j < sheet.d ? l2 * coefficient(&l, 0, j) * std[j] : 0;
        if (fabs(g[j] + pull) > 1e-8) fail_msg("slope %g at %lld", g[j] + pull, (long long)j);
        if (j < sheet.d) assert_true(fabs(pull) > 0);
    }
    done(&l);
}

/* Intercept first, then the features. */
static void equals(const char *table_name, const char *model, const char *train, const double *want, int64_t outputs) {
    lesson l = fit(test_context(1), table_name, model, train);
    for (int64_t k = 0; k < outputs; k++, want += sheet.d + 1) {
        is_near(coefficient(&l, k, sheet.d), want[0], 1e-4);
        for (int64_t j = 0; j < sheet.d; j++) is_near(coefficient(&l, k, j), want[j + 1], 1e-4);
    }
    done(&l);
}

static void logistic_regression_equals_scikit_learn(void **state) {
    (void)state;
    static const double want[] = {-8.40469637,    0.123182298, 0.0351637146, -0.0132955469, 0.000618964365,
                                  -0.00119169898, 0.08970097,  0.945179741,  0.0148690047};
    equals("pima-indians-diabetes.csv", "logistic-regression", "", want, 1);
}

static void linear_svm_equals_scikit_learn(void **state) {
    (void)state;
    static const double want[] = {-6.73313962,     0.0966204589, 0.0298019837, -0.0101918103, -0.00465909566,
                                  -0.000440021479, 0.0727907352, 0.715539558,  0.00616787033};
    equals("pima-indians-diabetes.csv", "linear-svm", "", want, 1);
}

static void softmax_regression_equals_scikit_learn(void **state) {
    (void)state;
    static const double want[] = {6.21843563,  -1.30142311, 2.67054749,   -1.09735557,  -2.38459093,
                                  2.54030209,  0.71223716,  -0.832945419, -0.206564845, -1.0876367,
                                  -8.75873772, 0.589185947, -1.83760207,  1.30392041,   3.47222763};
    equals("iris.csv", "softmax-regression", ", \"l2\": 0.0066666666666666671", want, 3);
}

/* The squared hinge has no second derivative where it begins, and Newton's method gets there all the same: no nearby
 * weights are better. */
static void squared_hinge_is_at_its_least(void **state) {
    (void)state;
    lesson l = fit(test_context(1), "pima-indians-diabetes.csv", "linear-svm",
                   ", \"loss\": {\"name\": \"hinge\", \"squared\": true}");
    double slope[MOST_COLUMNS] = {0}, n = (double)sheet.n;
    for (int64_t i = 0; i < sheet.n; i++) {
        double s = 0;
        for (int64_t j = 0; j <= sheet.d; j++) s += coefficient(&l, 0, j) * sheet.x[i][j];
        const double t = sheet.y[i] > 0 ? 1 : -1, left = fmax(0, 1 - t * s);
        slope[sheet.d] += -2 * t * left / n; /* of the bias, which nothing pulls on */
    }
    assert_true(fabs(slope[sheet.d]) < 1e-8);
    done(&l);
}

static void says_when_there_is_no_optimum(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    open_table(ctx, "breast_cancer.csv");
    lesson l = {.ctx = ctx};
    learn(&l,
          "{\"data\": {\"val\": 0, \"test\": 0}, \"model\": \"logistic-regression\", \"eval\": {\"baselines\": false}}",
          sheet.data);
    assert_false(found(&l, "converged")->boolean);
    assert_non_null(strstr(l.result.note, "separable"));
    done(&l);
}

/* Columns that say the same twice: the shortest of many optima, and no breakdown. */
static void dependent_columns_are_no_trouble(void **state) {
    (void)state;
    float x[60][3], y[60];
    for (int i = 0; i < 60; i++) {
        x[i][0] = (float)(i % 7), x[i][1] = 2 * x[i][0], x[i][2] = (float)(i % 5);
        y[i] = 3 * x[i][0] - x[i][2] + 1;
    }
    lesson l = {.ctx = test_context(1)};
    hd_dataset *data;
    const hd_data_arrays a = {.x = x, .dtype = HD_F32, .sample = HD_DIMS(3), .n = 60, .values = y, .targets = 1};
    assert_int_equal(hd_data_from_arrays(&data, l.ctx, &a), HD_OK);
    learn(&l,
          "{\"data\": {\"val\": 0, \"test\": 0}, \"model\": \"linear-regression\", \"eval\": {\"baselines\": false}}",
          data);
    assert_true(hd_scores_find(&l.result.train, "rmse")->value < 1e-4);
    forget(&l);
    hd_data_free(data);
    hd_context_free(l.ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_squares_are_the_normal_equations),  cmocka_unit_test(logistic_gradient_is_zero),
        cmocka_unit_test(logistic_regression_equals_scikit_learn), cmocka_unit_test(linear_svm_equals_scikit_learn),
        cmocka_unit_test(softmax_regression_equals_scikit_learn),  cmocka_unit_test(squared_hinge_is_at_its_least),
        cmocka_unit_test(says_when_there_is_no_optimum),           cmocka_unit_test(dependent_columns_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
