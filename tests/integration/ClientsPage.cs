using Entrepot.TestSupport.Running;

namespace Entrepot.IntegrationTests;

/// <summary>The code blocks of docs/clients.md, with <c>CACHE</c> replaced by where an Entrepot listens.</summary>
internal sealed class ClientsPage(Uri url)
{
    private readonly string[] _lines = File.ReadAllLines(Path.Combine(Checkout.Root, "docs", "clients.md"));

    /// <summary>The first block behind the one line that contains a text, which must be marked as tried (✔).</summary>
    public string BlockAfter(string text)
    {
        var at = Array.FindIndex(_lines, line => line.Contains(text, StringComparison.Ordinal) && line.Contains('✔', StringComparison.Ordinal));
        if (at < 0) throw new InvalidOperationException($"docs/clients.md has no line with '{text}' and ✔.");
        var first = Array.FindIndex(_lines, at, IsFence) + 1;
        var last = Array.FindIndex(_lines, first, IsFence);
        return string.Join('\n', _lines[first..last].Select(line => line.Trim())).Replace("CACHE", url.Authority, StringComparison.Ordinal) + "\n";
    }

    private static bool IsFence(string line) => line.TrimStart().StartsWith("```", StringComparison.Ordinal);
}
