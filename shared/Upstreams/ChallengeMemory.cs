using System.Collections.Concurrent;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>How an upstream wants to be asked, so that only its very first request costs a 401. Thread-safe, bounded.</summary>
internal sealed class ChallengeMemory
{
    private const int MaxRepositories = 4096;
    private readonly ConcurrentDictionary<string, TokenChallenge> _byRepository = new(StringComparer.Ordinal);
    private volatile TokenChallenge? _general;

    /// <summary>What to expect for a repository; null when nothing is known yet.</summary>
    public TokenChallenge? Find(string repository)
    {
        if (_byRepository.TryGetValue(repository, out var challenge))
            return challenge;

        return _general is TokenChallenge.Bearer bearer ? bearer with { Scope = PullScope(repository) } : _general;
    }

    /// <summary>Remembers a challenge; one of the usual form also tells what the other repositories will want.</summary>
    public void Remember(string repository, TokenChallenge challenge)
    {
        if (challenge is not TokenChallenge.Bearer { Scope: { Length: > 0 } scope } || scope == PullScope(repository))
        {
            _general = challenge;
            _byRepository.TryRemove(repository, out _);
            return;
        }

        if (_byRepository.Count >= MaxRepositories)
            _byRepository.Clear();
        _byRepository[repository] = challenge;
    }

    /// <summary>The scope that reading a repository needs. Source: Docker's token scope documentation.</summary>
    public static string PullScope(string repository) => $"repository:{repository}:pull";
}
