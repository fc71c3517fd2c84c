using System.Text;
using System.Text.Json;
using Entrepot.TestSupport.Clients;
using Xunit;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>
/// One rule of the protocol: what is asked and what must be answered, in words for the table of docs/conformance.md and as checks for the
/// test. Both come from the same calls, so they cannot differ. Texts hold placeholders, see <see cref="Placeholders"/>.
/// </summary>
/// <param name="rule">The rule as one sentence; the name of its test.</param>
/// <param name="source">Where the rule comes from.</param>
internal sealed class Fact(string rule, string source)
{
    private readonly List<string> _answer = [];
    private readonly List<Func<Lab, RawResponse, Task>> _checks = [];
    private string[] _lines = [];
    private Func<Lab, Task>? _story;
    private Func<Lab, Task<int>>? _port;

    public string Rule { get; } = rule;

    public string Source { get; } = source;

    /// <summary>The lines of the request, or what is done; for the table.</summary>
    public IReadOnlyList<string> Shown { get; private set; } = [];

    /// <summary>Whether <see cref="Shown"/> are lines of a request.</summary>
    public bool ShowsRequest => _story is null;

    /// <summary>The Entrepot that is asked when it is not the common one; for the table.</summary>
    public string? Where { get; private set; }

    /// <summary>What must be answered; for the table.</summary>
    public IReadOnlyList<string> Answer => _answer;

    /// <summary>The request: a method and a target, then headers. Host and Connection: close are added unless they are there.</summary>
    public Fact Asks(params string[] lines)
    {
        Shown = _lines = lines;
        return this;
    }

    /// <summary>Asks another Entrepot than the lab's common one.</summary>
    /// <param name="where">Which one, for the table.</param>
    /// <param name="port">Its port.</param>
    public Fact At(string where, Func<Lab, Task<int>> port)
    {
        Where = where;
        _port = port;
        return this;
    }

    /// <summary>More than one request: what is done and what is seen, in words, and the check itself.</summary>
    public Fact Does(string what, string seen, Func<Lab, Task> story)
    {
        Shown = [what];
        _answer.Add(seen);
        _story = story;
        return this;
    }

    /// <summary>The status.</summary>
    public Fact Says(int status) => That($"`{status}`", (_, answer) => Assert.True(status == answer.Status, $"expected {status}, got: {Lab.Show(answer)}"));

    /// <summary>A header with exactly this value, once.</summary>
    public Fact Has(string name, string value) => That($"`{name}: {value}`", (lab, answer) => Assert.Equal([lab.Fill(value)], Values(answer, name)));

    /// <summary>A header whose value is any of the kind that the words say.</summary>
    public Fact HasLike(string name, string words, Func<string, bool> matches) =>
        That($"`{name}`: {words}", (_, answer) => Assert.True(Values(answer, name) is [var value] && matches(value), $"{name} is not {words} in: {Lab.Show(answer)}"));

    /// <summary>No header of this name.</summary>
    public Fact HasNo(string name) => That($"no `{name}`", (_, answer) => Assert.Empty(Values(answer, name)));

    /// <summary>An error: status, code, and a message that holds this text.</summary>
    public Fact Refuses(int status, string code, string named) => Says(status).That($"`{code}`, names `{named}`", (lab, answer) =>
    {
        var (said, message) = Always.Error(answer);
        Assert.Equal(code, said);
        Assert.Contains(lab.Fill(named), message, StringComparison.Ordinal);
    });

    /// <summary>A body of exactly the bytes of a content of the lab, whole or from a position on.</summary>
    public Fact Gives(string content, int from = 0, int count = -1) => That(
        count < 0 ? $"the bytes of {content}" : $"bytes {from} to {from + count - 1} of {content}",
        (lab, answer) =>
        {
            var bytes = lab.Bytes(content);
            Assert.Equal(count < 0 ? bytes[from..] : bytes[from..(from + count)], answer.Body);
        });

    /// <summary>A body of exactly this text.</summary>
    public Fact GivesText(string text) => That($"`{text}`", (lab, answer) => Assert.Equal(lab.Fill(text), Encoding.UTF8.GetString(answer.Body)));

    /// <summary>No body.</summary>
    public Fact GivesNothing() => That("no body", (_, answer) => Assert.Empty(answer.Body));

    /// <summary>A body of JSON of which the check holds.</summary>
    public Fact GivesJson(string words, Action<Lab, JsonElement> check) => That(words, (lab, answer) =>
    {
        using var body = JsonDocument.Parse(answer.Body);
        check(lab, body.RootElement);
    });

    /// <summary>The same request as HEAD has the same status and headers, name by name and value by value, and no body.</summary>
    public Fact AlikeOnHead() => ThatAsync("`HEAD`: the same headers, no body", async (lab, answer) =>
    {
        // The first may have been the miss: the second is compared.
        var again = await SendAsync(lab, _lines);
        var head = await SendAsync(lab, [.. _lines.Select((line, i) => i == 0 ? "HEAD" + line[line.IndexOf(' ', StringComparison.Ordinal)..] : line)]);
        Assert.Equal(answer.Status, head.Status);
        Assert.Equal(Comparable(again), Comparable(head));
        Assert.Empty(head.Body);
    });

    /// <summary>Anything else.</summary>
    public Fact That(string words, Action<Lab, RawResponse> check) => ThatAsync(words, (lab, answer) =>
    {
        check(lab, answer);
        return Task.CompletedTask;
    });

    public async Task CheckAsync(Lab lab)
    {
        if (_story is not null)
        {
            await _story(lab);
            return;
        }

        var answer = await SendAsync(lab, _lines);
        foreach (var check in _checks) await check(lab, answer);
    }

    public override string ToString() => Rule;

    internal static List<string> Values(RawResponse answer, string name) =>
        [.. answer.Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value)];

    /// <summary>All headers but the two that tell the moment: a second may pass between two requests.</summary>
    private static string Comparable(RawResponse answer) => string.Join('\n', answer.Headers
        .Where(header => header.Key is not ("Date" or "Age")).Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal));

    private async Task<RawResponse> SendAsync(Lab lab, string[] lines) => await lab.SendToAsync(_port is null ? lab.Entrepot.Port : await _port(lab), lines);

    private Fact ThatAsync(string words, Func<Lab, RawResponse, Task> check)
    {
        _answer.Add(words);
        _checks.Add(check);
        return this;
    }
}
