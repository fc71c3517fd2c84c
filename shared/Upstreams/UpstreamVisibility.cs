namespace Entrepot.Upstreams;

/// <summary>Who may be told, through another upstream, that a digest exists at this one.</summary>
public enum UpstreamVisibility
{
    /// <summary>Anybody may pull from it: all such upstreams form one trust domain.</summary>
    Public,

    /// <summary>It is a trust domain of its own: its digests are never confirmed to clients of another upstream, nor theirs to its clients.</summary>
    Private,
}
